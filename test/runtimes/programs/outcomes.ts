// Runs in Node, Bun, Deno and workerd: makes the requests that `/rows` of the server at the given address lists, and returns their
// outcomes.
import Anthropic, { type ClientOptions } from 'colloquy'

/** A request to make: of a message, or of its stream. */
export interface OutcomeRequest {
  url: string
  isStream: boolean
  options: ClientOptions | undefined
}

const params = { model: 'claude-sonnet-4-6', max_tokens: 5, messages: [{ role: 'user' as const, content: 'Hi' }] }

export async function outcomes(address: string): Promise<string[]> {
  const requests = (await (await fetch(`${address}/rows`)).json()) as OutcomeRequest[]
  const found: string[] = []
  // One after another: some are about time.
  for (const request of requests) found.push(await outcomeOf(request))
  return found
}

async function outcomeOf({ url, isStream, options }: OutcomeRequest): Promise<string> {
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: url,
    maxRetries: 1,
    maxRetryDelay: 1,
    timeout: 5000,
    ...options,
  })
  try {
    const { messages } = client
    const { type } = await (isStream ? messages.stream(params).finalMessage() : messages.create(params))
    return type
  } catch (error) {
    return `${(error as Error).constructor.name}: ${(error as Error).message}`
  }
}
