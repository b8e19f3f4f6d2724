import { type Admitted, catalogueChoices, type DefaultSettings, type ModelChoiceJson } from '@colloquy/server'
import { allowsModel, charged, type StoreAccess } from '@colloquy/server/access'
import type { Engine, ModelInfo } from 'colloquy/protocol'
import type { ConsoleChats } from './open-console.ts'

/** Options of `configuredChats()`. */
export interface ConfiguredChatsOptions {
  /** The engine of the configuration, which may be read again. */
  engine: () => Engine
  access: StoreAccess
  /** Whether replies of a model are free. */
  isFree: (model: string) => boolean
}

const maxTokens = 8_192

/**
 * The chats of a console with the engines of a configuration. Their requests are in the ledger of the server, and pass the limits
 * and budgets of the key that owns the chat.
 */
export async function configuredChats({ engine, access, isFree }: ConfiguredChatsOptions): Promise<ConsoleChats> {
  const all = async (): Promise<ModelChoiceJson[]> => {
    const known = new Map(catalogueChoices().map((choice) => [choice.id, choice]))
    const listed = await engine().listModels?.()
    if (listed === undefined || listed.length === 0) return [...known.values()]
    return listed.map((info) => known.get(info.id) ?? choiceOf(info, isFree(info.id)))
  }
  const models = async ({ owner = '' }: Admitted): Promise<ModelChoiceJson[]> => {
    const [listed, { key }] = await Promise.all([all(), access.recall(owner, 'default')])
    return listed.filter(({ id }) => allowsModel(key?.settings ?? {}, id))
  }
  const defaultsFrom = ([first]: readonly ModelChoiceJson[]): DefaultSettings => ({
    model: first?.id ?? 'claude-opus-5-5',
    max_tokens: Math.min(maxTokens, first?.maxOutputTokens ?? maxTokens),
  })
  const usual = defaultsFrom(await all().catch(() => catalogueChoices()))
  return {
    models,
    engine: charged((params, context) => engine()(params, context), access),
    defaults: async (sender) => (sender.owner === undefined ? usual : defaultsFrom(await models(sender))),
  }
}

function choiceOf({ id, display_name: displayName }: ModelInfo, isLocal: boolean): ModelChoiceJson {
  return { id, displayName, isLocal, contextTokens: null, maxOutputTokens: null, efforts: [], price: null }
}
