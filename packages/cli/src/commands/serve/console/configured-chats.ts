import { catalogueChoices, type ModelChoiceJson } from '@colloquy/server'
import { metered, type StoreAccess } from '@colloquy/server/access'
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

/** The chats of a console with the engines of a configuration. Their requests are in the ledger of the server. */
export async function configuredChats({ engine, access, isFree }: ConfiguredChatsOptions): Promise<ConsoleChats> {
  const models = async (): Promise<ModelChoiceJson[]> => {
    const known = new Map(catalogueChoices().map((choice) => [choice.id, choice]))
    const listed = await engine().listModels?.()
    if (listed === undefined || listed.length === 0) return [...known.values()]
    return listed.map((info) => known.get(info.id) ?? choiceOf(info, isFree(info.id)))
  }
  const [first] = await models().catch(() => catalogueChoices())
  return {
    models,
    engine: (params, context) => {
      const facts = { source: 'chat', engine: '', isPriced: !isFree(params.model) } as const
      return metered(
        engine(),
        async () => access.ledger,
        () => facts,
      )(params, context)
    },
    defaults: {
      model: first?.id ?? 'claude-opus-5-5',
      max_tokens: Math.min(maxTokens, first?.maxOutputTokens ?? maxTokens),
    },
  }
}

function choiceOf({ id, display_name: displayName }: ModelInfo, isLocal: boolean): ModelChoiceJson {
  return { id, displayName, isLocal, contextTokens: null, maxOutputTokens: null, efforts: [], price: null }
}
