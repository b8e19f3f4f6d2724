import { Anthropic } from 'colloquy'
import { APIError, findModel, priceAt } from 'colloquy/protocol'
import { ExitCode, ExitError } from '../../exit.ts'
import { hasAccess } from '../../engine/engine-kind.ts'
import { programName } from '../../terminal/program-name.ts'

/** The models and rate limits of a key. */
export interface KeyReport {
  /** The server that was asked. */
  url: string
  /** The ids of its models. */
  models: string[]
  /** The rate limits a minute, by what they limit. Empty if the server does not tell them. */
  limits: Record<string, number>
  /** The model that was asked for the limits: others may have other ones. */
  message?: string
}

/**
 * Lists the models of a key of Claude, and sends the smallest message to the cheapest one: only a reply has the rate limits.
 *
 * @param secret default: the key of the environment.
 */
export async function testClaude(secret?: string): Promise<KeyReport> {
  if (secret === undefined && !hasAccess())
    throw new ExitError(ExitCode.key, `No key to test. ${programName} keys set anthropic keeps one.`)
  const client = new Anthropic({ maxRetries: 0, ...(secret !== undefined && { apiKey: secret, authToken: null }) })
  const models: string[] = []
  for await (const { id } of client.models.list({ limit: 1_000 })) models.push(id)
  const model = cheapest(models)
  const report = { url: client.baseURL, models, limits: {} }
  return model === undefined ? report : { ...report, message: model, limits: await limitsOf(client, model) }
}

function cheapest(ids: readonly string[]): string | undefined {
  const priced = ids.flatMap((id) => {
    const entry = findModel(id)
    const price = entry && priceAt(entry, new Date())
    return price ? [{ id, output: price.bands[0].output }] : []
  })
  return priced.toSorted((a, b) => Number(a.output - b.output))[0]?.id
}

const named = { requests: 'requests', 'input-tokens': 'input tokens', 'output-tokens': 'output tokens' }

async function limitsOf(client: Anthropic, model: string): Promise<Record<string, number>> {
  const body = { model, max_tokens: 1, messages: [{ role: 'user' as const, content: 'Hi' }] }
  const { response } = await client.messages.create(body).withResponse()
  const limits = Object.entries(named).map(([name, text]) => {
    return [text, Number(response.headers.get(`anthropic-ratelimit-${name}-limit`) ?? Number.NaN)] as const
  })
  return Object.fromEntries(limits.filter(([, limit]) => !Number.isNaN(limit)))
}

/** Lists the models of a Chat Completions server: that of `OPENAI_BASE_URL`, or OpenAI's. */
export async function testOpenAi(secret: string): Promise<KeyReport> {
  const url = process.env['OPENAI_BASE_URL'] || 'https://api.openai.com/v1'
  const response = await fetch(`${url}/models`, { headers: { authorization: `Bearer ${secret}` } })
  if (!response.ok) throw APIError.generate(response.status, undefined, response.statusText, response.headers)
  const { data } = (await response.json()) as { data: { id: string }[] }
  return { url, models: data.map(({ id }) => id), limits: {} }
}
