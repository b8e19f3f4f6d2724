import { checkOptionsObject } from '../../protocol/json/option-names.ts'
import { checkSettingNames } from '../check-settings.ts'
import { ContentError } from '../errors.ts'
import { copyOf } from '../history/content.ts'
import { type GivenMetadata, splitMetadata } from '../history/metadata.ts'
import type { Archive } from '../history/records.ts'
import { inSlices } from '../in-slices.ts'
import type { ConversationSettings } from '../settings.ts'
import { checkText } from '../stores/text.ts'
import { type ReadConversation, readConversations } from '../transfer/import.ts'
import type { ImportReport } from '../transfer/report.ts'

/** Options of `import()` and `importAll()`. Settings and metadata override those of the file. */
export interface ImportOptions extends Partial<ConversationSettings> {
  /** The user, team or tenant that the conversations belong to. An owner named in a file is ignored. Default none. */
  owner?: string
  /** As for `create()`. Default: the metadata of the file. */
  metadata?: GivenMetadata
  /** Settings for conversations whose file does not have them. Default none. */
  defaults?: Partial<ConversationSettings>
}

/** A conversation that `importAll()` added. */
export interface ImportedConversation {
  id: string
  title: string | undefined
  report: ImportReport
}

/** The only conversation of a file, as `import()` adds it. Throws a `ContentError` if there is not exactly one. */
export async function readOne(text: string, given: ImportOptions & { id?: string } = {}): Promise<ReadConversation> {
  checkOptionsObject(given, 'import()')
  const { id, ...options } = given
  const [read, ...others] = await readAll(text, options)
  if (read === undefined) throw new ContentError('Cannot import a conversation: found an empty list')
  if (others.length > 0) {
    throw new ContentError(`Cannot import one conversation: found ${others.length + 1}, importAll() adds them all`)
  }
  return { ...read, archive: { ...read.archive, id } }
}

/** The conversations of a file, as `importAll()` adds them. */
export async function readAll(text: string, options: ImportOptions = {}): Promise<ReadConversation[]> {
  checkText('import', text)
  checkSettingNames(options, ['owner', 'defaults'], 'import()')
  if (options.defaults !== undefined) checkSettingNames(options.defaults, [], 'defaults')
  // The caller may change its objects while the file is read.
  const { metadata, ...others } = options
  const given = { ...copyOf(others), ...splitMetadata(metadata) }
  const read = await inSlices(readConversations(text, Date.now(), given.model)).catch(refuseNesting)
  return read.map(({ archive, report }) => ({ archive: withOptions(archive, given), report }))
}

/** A value that is shown in a note or an error can be nested so deep that JavaScript cannot write it. */
function refuseNesting(error: unknown): never {
  if (!(error instanceof RangeError)) throw error
  throw new ContentError('Cannot import a conversation: the file is nested too deep', { cause: error })
}

type Given = Omit<ImportOptions, 'metadata'> & ReturnType<typeof splitMetadata>

function withOptions(archive: Archive, given: Given): Archive {
  const { owner, defaults, setting, kept, ...settings } = given
  return {
    ...archive,
    owner,
    metadata: kept ?? copyOf(archive.metadata),
    settings: { ...defaults, ...copyOf(archive.settings), ...settings, ...setting },
  }
}
