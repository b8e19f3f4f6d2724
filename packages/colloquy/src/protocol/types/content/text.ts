import type { TextCitation } from '../citation.ts'
import type { CacheControlEphemeral } from '../tools/options.ts'

/** Text that the model wrote, with its citations. */
export interface TextBlock {
  type: 'text'
  text: string
  /** The sources of the text, if citations were enabled. */
  citations: TextCitation[] | null
}

/** Text in a request. */
export interface TextBlockParam {
  type: 'text'
  /** Must have a character that is not white space. */
  text: string
  /** The citations of an earlier reply. Not accepted in user messages. */
  citations?: TextCitation[] | null
  cache_control?: CacheControlEphemeral | null
}
