// Types only: at run time this module is empty.
import type * as batches from './resources/batches.ts'
import type * as models from './resources/models.ts'

export type * from '../protocol/types/beta/index.ts'
export type * from '../protocol/types/citation.ts'
export type * from '../protocol/types/error.ts'
export type * from '../protocol/types/event.ts'
export type * from '../protocol/types/message.ts'
export type * from '../protocol/types/resources/page.ts'
export type * from '../protocol/types/params.ts'
export type * from '../protocol/types/tools/server-results.ts'
export type * from '../protocol/types/server-tools.ts'
export type * from '../protocol/types/tool.ts'
export type * from '../protocol/types/tools/toolset.ts'
export type * from '../protocol/types/resources/file.ts'
export type * from './request/codes/code-errors.ts'
export type * from './request/codes/details.ts'
export type * from './names/batches.ts'
export type * from './names/blocks.ts'
export type * from './names/browser.ts'
export type * from './names/computer.ts'
export type * from './names/errors.ts'
export type * from './names/files.ts'
export type * from './names/models.ts'
export type * from './names/parsed.ts'
export type {
  MessageCountTokensParams,
  MessageCreateParams,
  MessageCreateParamsBase,
  MessageCreateParamsNonStreaming,
  MessageCreateParamsStreaming,
  MessageStreamParams,
} from './names/params.ts'

// Each is the type of a resource and a namespace with the names of its types.
/** The methods of `messages.batches`. */
export type Batches = batches.Batches
export type * as Batches from './names/batches.ts'
/** The methods of `models`. */
export type Models = models.Models
export type * as Models from './names/models.ts'
