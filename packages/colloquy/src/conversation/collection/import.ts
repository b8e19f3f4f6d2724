import { checkOptionsObject } from '../../protocol/json/option-names.ts'
import { checkArchive, idFrom } from '../add-conversation.ts'
import { checkSettingNames } from '../check-settings.ts'
import type { Conversation } from '../conversation.ts'
import { ContentError, ConversationExistsError } from '../errors.ts'
import { copyOf } from '../history/content.ts'
import { type GivenMetadata, splitMetadata } from '../history/metadata.ts'
import type { Archive } from '../history/records.ts'
import { paced } from '../in-slices.ts'
import type { ConversationSettings } from '../settings.ts'
import type { ConversationStore } from '../stores/store.ts'
import { checkText } from '../stores/text.ts'
import type { ReadConversation } from '../transfer/import.ts'
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
  /** True: an earlier import has added it, with the same settings and for the same owner. */
  existed: boolean
}

/** The only conversation of a file, as `import()` adds it. Throws a `ContentError` if there is not exactly one. */
export async function readOne(text: string, given: ImportOptions & { id?: string } = {}): Promise<ReadConversation> {
  checkOptionsObject(given, 'import()')
  const { id, ...options } = given
  let first: ReadConversation | undefined
  let count = 0
  for await (const read of readFile(text, options)()) {
    first ??= read
    count++
  }
  if (first === undefined) throw new ContentError('Cannot import a conversation: found an empty list')
  if (count > 1) throw new ContentError(`Cannot import one conversation: found ${count}, importAll() adds them all`)
  return { ...first, archive: { ...first.archive, id } }
}

/** Texts up to this length are read once, and their conversations kept until all are checked. */
const keptLength = 8_000_000

/** Adds the conversations of a file to a store, one after the other. @param add adds one of them. */
export async function importAll(
  store: ConversationStore,
  add: (archive: Archive) => Promise<Pick<Conversation, 'title'>>,
  text: string,
  options?: ImportOptions,
): Promise<ImportedConversation[]> {
  const imported: ImportedConversation[] = []
  const counts = new Map<string, number>()
  for await (const { archive, report } of paced(readAll(text, options))) {
    const id = await importedId(archive, counts)
    try {
      const { title } = await add({ ...archive, id })
      imported.push({ id, title, report, existed: false })
    } catch (error) {
      // An earlier import has added it, or another one does so at this moment.
      if (!(error instanceof ConversationExistsError)) throw error
      const found = await store.open(id, { messages: false })
      imported.push({ id, title: found?.conversation.title ?? undefined, report, existed: true })
    }
  }
  return imported
}

/**
 * The conversations of a file, as `importAll()` adds them. Before the first one, all of them are read and checked: a file with a
 * mistake adds nothing. A long file is read a second time, so that its conversations are not in memory together.
 */
async function* readAll(text: string, options: ImportOptions = {}): AsyncGenerator<ReadConversation> {
  const read = readFile(text, options)
  const kept: ReadConversation[] = []
  for await (const each of read()) {
    checkArchive(each.archive)
    if (text.length <= keptLength) kept.push(each)
  }
  yield* text.length <= keptLength ? kept : read()
}

/**
 * The id of an imported conversation: always the same for the same content, settings and owner, so that a file can be imported
 * again after an import that was interrupted. Two conversations of one file that are the same have two ids.
 *
 * @param counts how often each content was in the file so far.
 */
export async function importedId(archive: Archive, counts: Map<string, number>): Promise<string> {
  const { owner, title, settings, metadata, head, messages } = archive
  let hashes = ''
  let part = JSON.stringify([owner, title, settings, metadata, head])
  // Messages whose file does not have their time get that of the import.
  for (const { parent, json, received, reply } of messages) {
    part += JSON.stringify([parent, json, received, reply])
    // Other work runs while a part is hashed.
    if (part.length < hashedLength) continue
    hashes += await hashOf(part)
    part = ''
  }
  const content = await hashOf(hashes + part)
  const count = counts.get(content) ?? 0
  counts.set(content, count + 1)
  return count === 0 ? content : hashOf(`${content} ${count}`)
}

const hashedLength = 500_000

/** 26 characters, as other ids have. */
async function hashOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return idFrom(new Uint8Array(hash).subarray(0, 26))
}

/** Returns a function that reads the conversations of a file. */
function readFile(text: string, options: ImportOptions): () => AsyncGenerator<ReadConversation> {
  checkText('import', text)
  checkSettingNames(options, ['owner', 'defaults'], 'import()')
  if (options.defaults !== undefined) checkSettingNames(options.defaults, [], 'defaults')
  // The caller may change its objects while the file is read.
  const { metadata, ...others } = options
  const given = { ...copyOf(others), ...splitMetadata(metadata) }
  const at = Date.now()
  return async function* () {
    // Not loaded with every conversation: most programs import none.
    const { readConversations } = await import('../transfer/import.ts')
    try {
      for await (const { archive, report } of paced(readConversations(text, at, given.model))) {
        yield { archive: { ...withOptions(archive, given), ...timesOf(archive, at) }, report }
      }
    } catch (error) {
      refuseNesting(error)
    }
  }
}

/** When the conversation began and its last message was written, as far as the file says it. Default: the time of the import. */
function timesOf(archive: Archive, importedAt: number): Pick<Archive, 'createdAt' | 'usedAt'> {
  let [createdAt, usedAt] = [Math.min(archive.createdAt ?? importedAt, importedAt), 0]
  for (const { createdAt: time } of archive.messages) {
    if (time <= 0 || time >= importedAt) continue
    createdAt = Math.min(createdAt, time)
    usedAt = Math.max(usedAt, time)
  }
  return { createdAt, usedAt: usedAt || importedAt }
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
