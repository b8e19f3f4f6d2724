import { millions } from './gguf.ts'

/** A chat model of a server on this machine. */
export interface ServerModel {
  /** The name by which the server knows it. */
  id: string
  /** The program that serves it, such as `ollama`. */
  from: string
  /** The address for `chatCompletions()`. */
  baseURL: string
  bytes: number | undefined
  /** Parameters in millions. */
  parameters: number | undefined
  /** The most tokens that it can hold. The server may be set to fewer. */
  window: number | undefined
  license: string | undefined
}

/** Requests JSON from a server: with a body by POST, else by GET. */
export type Ask = (url: string, body?: object) => Promise<unknown>

/** A program that serves models, and how to list them. */
export interface KnownServer {
  name: string
  port: number
  /** The environment variable that has another address. */
  variable?: string
  models(root: string, ask: Ask): Promise<ServerModel[]>
}

/** The most models of one server whose details are requested. */
const maxDetails = 50

export const knownServers: readonly KnownServer[] = [
  { name: 'ollama', port: 11434, variable: 'OLLAMA_HOST', models: ofOllama },
  { name: 'lmstudio', port: 1234, models: ofLmStudio },
  ...(
    [
      ['llama.cpp', 8080],
      ['vllm', 8000],
      ['sglang', 30000],
      ['jan', 1337],
      ['gpt4all', 4891],
      ['koboldcpp', 5001],
    ] as const
  ).map(([name, port]): KnownServer => ({ name, port, models: (root, ask) => ofOthers(name, root, ask) })),
]

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

interface OllamaTags {
  models: { name: string; size?: number; details?: { parameter_size?: string } }[]
}

interface OllamaDetails {
  capabilities?: string[]
  license?: string
  model_info?: Record<string, unknown>
}

async function ofOllama(root: string, ask: Ask): Promise<ServerModel[]> {
  const { models } = (await ask(`${root}/api/tags`)) as OllamaTags
  const found = await Promise.all(
    models.map(async ({ name, size, details }, index): Promise<ServerModel | undefined> => {
      // The list has neither window nor licence. A server that is too slow for them still counts.
      const more = index < maxDetails ? await detailsOf(root, name, ask) : {}
      if (more.capabilities && !more.capabilities.includes('completion')) return undefined
      return {
        id: name,
        from: 'ollama',
        baseURL: `${root}/v1`,
        bytes: size,
        parameters: millions(details?.parameter_size),
        window: windowIn(more.model_info),
        license: licenseIn(more),
      }
    }),
  )
  return found.filter((model) => model !== undefined)
}

async function detailsOf(root: string, model: string, ask: Ask): Promise<OllamaDetails> {
  return ask(`${root}/api/show`, { model }).then(
    (details) => details as OllamaDetails,
    () => ({}),
  )
}

function windowIn(info: Record<string, unknown> = {}): number | undefined {
  const window = info[`${String(info['general.architecture'])}.context_length`]
  return typeof window === 'number' ? window : undefined
}

/** The licence's short name in the file, else the first line of its text. */
function licenseIn({ license, model_info: info }: OllamaDetails): string | undefined {
  const short = info?.['general.license']
  if (typeof short === 'string' && short !== '') return short
  const line = license?.split('\n').find((each) => each.trim() !== '')
  return line?.trim().replaceAll(/\s+/g, ' ').slice(0, 40)
}

interface LmStudioModels {
  models: {
    key: string
    type: string
    size_bytes?: number
    params_string?: string | null
    max_context_length?: number
  }[]
}

async function ofLmStudio(root: string, ask: Ask): Promise<ServerModel[]> {
  try {
    const { models } = (await ask(`${root}/api/v1/models`)) as LmStudioModels
    return models
      .filter(({ type }) => type !== 'embedding')
      .map(({ key, size_bytes: bytes, params_string: size, max_context_length: window }) => ({
        id: key,
        from: 'lmstudio',
        baseURL: `${root}/v1`,
        bytes,
        window,
        license: undefined,
        parameters: millions(size ?? undefined) ?? parametersInName(key),
      }))
  } catch {
    // LM Studio before 0.4, or another program at its port.
    return ofOthers('lmstudio', root, ask)
  }
}

interface ListedModels {
  object?: string
  data: {
    id: string
    type?: string
    owned_by?: string
    /** vLLM. */
    max_model_len?: number
    /** llama.cpp. */
    meta?: { n_params?: number; size?: number; n_ctx?: number; n_ctx_train?: number } | null
  }[]
}

/** Any server of the Chat Completions API. Its list of models has `object`, which a Messages API server's does not. */
async function ofOthers(name: string, root: string, ask: Ask): Promise<ServerModel[]> {
  const { object, data } = (await ask(`${root}/v1/models`)) as ListedModels
  if (object !== 'list') return []
  return data
    .filter(({ id, type }) => !type?.startsWith('embedding') && !/\bembed(?:ding)?\b/i.test(id))
    .map(({ id, owned_by: owner, max_model_len: length, meta }) => ({
      id,
      from: owners.get(owner ?? '') ?? name,
      baseURL: `${root}/v1`,
      bytes: meta?.size,
      parameters: meta?.n_params === undefined ? parametersInName(id) : Math.round(meta.n_params / 1e6),
      window: length ?? meta?.n_ctx ?? meta?.n_ctx_train,
      license: undefined,
    }))
}

/** Programs that name themselves, wherever they listen. */
const owners = new Map([
  ['llamacpp', 'llama.cpp'],
  ['vllm', 'vllm'],
  ['sglang', 'sglang'],
])

/** The parameters that a name such as `llama-3.2-1b-instruct` tells, in millions. */
function parametersInName(name: string): number | undefined {
  const [, size] = /(?:^|[-_:/ ])(\d+(?:\.\d+)?[bm])(?=$|[-_:. ])/i.exec(name) ?? []
  return millions(size)
}
