// Asks one client, in a process of its own: its package is the parameter, and each message of the parent is a question to ask.
import type * as sdk from '@anthropic-ai/sdk'

/** A new client in a new environment, and how many requests it sends. */
export interface Question {
  environment: Record<string, string | undefined>
  options: string
  count: number
}

const { default: Anthropic } = (await import(process.argv[2]!)) as typeof sdk
const request = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'Hi' }] }

process.on('message', (question: Question) => {
  process.env = { ...question.environment }
  void answer(question).then((printed) => process.send!(printed))
})

/** The ids of the messages, a line each, and what ended them early. */
async function answer({ options, count }: Question): Promise<string> {
  let printed = ''
  try {
    const given = JSON.parse(options) as sdk.ClientOptions
    const client = new Anthropic({ maxRetries: 1, logLevel: 'off', ...given })
    for (let i = 0; i < count; i++) {
      const { id } = await (i % 2 ? client.withOptions({ timeout: 9000 }) : client).messages.create(request)
      printed += `${id}\n`
    }
    return printed
  } catch (error) {
    return printed + (error instanceof Anthropic.APIError ? error.constructor.name : 'refused')
  }
}
