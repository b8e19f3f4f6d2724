import Anthropic from '@anthropic-ai/sdk'
import type {
  Message,
  MessageCreateParams,
  MessageCreateParamsNonStreaming,
  MessageCreateParamsStreaming,
  RawMessageStreamEvent,
} from '@anthropic-ai/sdk/resources/messages'
import type { Stream } from '@anthropic-ai/sdk/streaming'

type Defaults = Pick<MessageCreateParams, 'model' | 'max_tokens'>
type WithDefaults<T extends MessageCreateParams> = Omit<T, keyof Defaults> & Partial<Defaults>

class Claude {
  readonly #client: Anthropic
  readonly #defaults: Defaults

  constructor(defaults: Defaults, options?: ConstructorParameters<typeof Anthropic>[0]) {
    this.#client = new Anthropic(options)
    this.#defaults = defaults
  }

  ask(params: WithDefaults<MessageCreateParamsNonStreaming>): Promise<Message>
  ask(params: WithDefaults<MessageCreateParamsStreaming>): Promise<Stream<RawMessageStreamEvent>>
  ask(
    params: WithDefaults<MessageCreateParamsNonStreaming> | WithDefaults<MessageCreateParamsStreaming>,
  ): Promise<Message | Stream<RawMessageStreamEvent>> {
    return this.#client.messages.create({ ...this.#defaults, ...params } as MessageCreateParams)
  }
}

const claude = new Claude({ model: 'claude-sonnet-4-6', max_tokens: 100 }, { maxRetries: 1, timeout: 20_000 })
const reply = await claude.ask({ messages: [{ role: 'user', content: 'Hello' }] })
console.log(reply.type, reply.model)

const types = new Set<RawMessageStreamEvent['type']>()
for await (const { type } of await claude.ask({ messages: [{ role: 'user', content: 'Hello' }], stream: true }))
  types.add(type)
console.log([...types])
