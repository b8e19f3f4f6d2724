import { checkOptionsObject, describeValue } from '../../protocol/json/option-names.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { checkSettings, checkSettingNames } from '../check-settings.ts'
import type { Conversation } from '../conversation.ts'
import { ConversationExistsError, ConversationNotFoundError } from '../errors.ts'
import { copyOf } from '../history/content.ts'
import { type GivenMetadata, splitMetadata } from '../history/metadata.ts'
import type { Archive } from '../history/records.ts'
import { inSlices } from '../in-slices.ts'
import type { ConversationSettings } from '../settings.ts'
import { readGivenMessages } from '../transfer/given-messages.ts'

/** Options of `create()`. */
export interface CreateOptions extends ConversationSettings {
  /** The id of the conversation. `create` throws a `ConversationExistsError` if it is taken. Default: a new ULID. */
  id?: string
  /** The user, team or tenant that the conversation belongs to. Default none. */
  owner?: string
  /**
   * The `user_id` of the requests, and any other JSON-able values, which are kept with the conversation and never sent. Their
   * JSON has at most 65,536 characters. Default none.
   */
  metadata?: GivenMetadata
  /** Default: the first line of the first user message. */
  title?: string
  /** Earlier messages, in the API's form. Default none. */
  messages?: readonly MessageParam[]
}

const optionNames = ['id', 'owner', 'title', 'messages']

/** A conversation as `create()` adds it. Throws an `AnthropicError` for a misspelt option. */
export async function newArchive(options: CreateOptions): Promise<Archive> {
  checkSettingNames(options, optionNames, 'create()')
  const { id, owner, metadata, title, messages = [], ...given } = options
  const { setting, kept } = splitMetadata(metadata)
  const settings = { ...given, ...setting }
  checkSettings(settings)
  if (!Array.isArray(messages)) {
    throw new AnthropicError(
      `Cannot create a conversation as its messages must be a list: found ${describeValue(messages)}`,
    )
  }
  // The caller may change its objects while the messages are read.
  const about = { id, owner, metadata: kept, title, settings: copyOf(settings) }
  const archive = await inSlices(readGivenMessages(copyOf(messages), Date.now()))
  return { ...archive, ...about }
}

/** Opens a conversation, or creates it. Another process may do the same at this moment. */
export async function openOrCreate(
  options: CreateOptions & { id: string },
  open: (id: string, options: { owner?: string }) => Promise<Conversation>,
  create: (options: CreateOptions) => Promise<Conversation>,
): Promise<Conversation> {
  checkOptionsObject(options, 'openOrCreate()')
  const { id, owner } = options
  const scope = owner === undefined ? {} : { owner }
  try {
    return await open(id, scope)
  } catch (error) {
    if (!(error instanceof ConversationNotFoundError)) throw error
  }
  try {
    return await create(options)
  } catch (error) {
    // Another process was faster, or the conversation belongs to another owner.
    if (!(error instanceof ConversationExistsError)) throw error
    return open(id, scope)
  }
}
