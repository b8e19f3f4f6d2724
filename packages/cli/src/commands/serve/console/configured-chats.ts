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
  /** Returns milliseconds of a clock that never jumps. Default: the process's. */
  now?: () => number
}

const maxTokens = 8_192
/** How long a list of models is kept: a page reads it several times, and each list may be a request to an upstream. */
const keptMs = 10_000

/**
 * The chats of a console with the engines of a configuration. Their requests are in the ledger of the server, and pass the limits
 * and budgets of the key that owns the chat.
 */
export function configuredChats({ engine, access, isFree, now }: ConfiguredChatsOptions): ConsoleChats {
  const served = keptList(engine, (current) => modelsOf(current, isFree), now)
  const allowed = async (models: readonly ModelChoiceJson[], { owner = '' }: Admitted): Promise<ModelChoiceJson[]> => {
    const { key } = await access.recall(owner, 'default')
    return models.filter(({ id }) => allowsModel(key?.settings ?? {}, id))
  }
  return {
    models: async (sender) => allowed(await served(), sender),
    engine: charged((params, context) => engine()(params, context), access),
    // A new chat needs a model also while an upstream cannot list its own.
    defaults: async (sender) => defaultsFrom(await allowed(await served().catch(catalogueChoices), sender)),
  }
}

/** The models that an engine lists; those of the catalogue if it lists none. */
async function modelsOf(engine: Engine, isFree: (model: string) => boolean): Promise<ModelChoiceJson[]> {
  const known = new Map(catalogueChoices().map((choice) => [choice.id, choice]))
  const listed = await engine.listModels?.()
  if (listed === undefined || listed.length === 0) return [...known.values()]
  return listed.map((info) => known.get(info.id) ?? choiceOf(info, isFree(info.id)))
}

/** Keeps the last list of the current engine for a while. One that failed is not kept. */
function keptList<Item>(
  engine: () => Engine,
  list: (engine: Engine) => Promise<Item[]>,
  now: () => number = () => performance.now(),
): () => Promise<Item[]> {
  let last: { engine: Engine; until: number; items: Promise<Item[]> } | undefined
  return () => {
    const current = engine()
    if (last?.engine === current && now() < last.until) return last.items
    const asked = { engine: current, until: now() + keptMs, items: list(current) }
    asked.items.catch(() => {
      asked.until = -Infinity
    })
    last = asked
    return asked.items
  }
}

function defaultsFrom([first]: readonly ModelChoiceJson[]): DefaultSettings {
  return {
    model: first?.id ?? 'claude-opus-5-5',
    max_tokens: Math.min(maxTokens, first?.maxOutputTokens ?? maxTokens),
  }
}

function choiceOf({ id, display_name: displayName }: ModelInfo, isLocal: boolean): ModelChoiceJson {
  return { id, displayName, isLocal, contextTokens: null, maxOutputTokens: null, efforts: [], price: null }
}
