// Handles errors by class: retries with growing delays if a retry may help, explains the problem if not.
import Anthropic from 'colloquy'
import { setTimeout as wait } from 'node:timers/promises'

const client = new Anthropic({ maxRetries: 0 }) // by default the client makes three attempts by itself
const maxAttempts = 5

async function ask(question: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const message = await client.messages.create({
        model: 'claude-sonnet-4-6',
        max_tokens: 1024,
        messages: [{ role: 'user', content: question }],
      })
      return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
    } catch (error) {
      if (attempt === maxAttempts || !mayPass(error)) throw error
      const delayMs = 250 * 2 ** attempt * (1 - Math.random() / 4)
      console.error(`${error.message}\nattempt ${attempt + 1} of ${maxAttempts} in ${Math.round(delayMs)} ms`)
      await wait(delayMs)
    }
  }
}

function mayPass(error: unknown): error is Error {
  if (error instanceof Anthropic.RateLimitError || error instanceof Anthropic.APIConnectionError) return true
  return error instanceof Anthropic.APIError && (error.status ?? 0) >= 500
}

try {
  console.log(await ask(process.argv[2] ?? 'Why is the sky blue?'))
} catch (error) {
  process.exitCode = 1
  if (error instanceof Anthropic.AuthenticationError) console.error('The key is not valid: set ANTHROPIC_API_KEY.')
  else if (error instanceof Anthropic.BadRequestError) console.error(`The request is not valid: ${error.message}`)
  else if (error instanceof Anthropic.APIError) console.error(`The API failed (${error.status}): ${error.message}`)
  else throw error
}
