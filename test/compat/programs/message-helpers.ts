import Anthropic from '@anthropic-ai/sdk'
import type {
  ContentBlock,
  ContentBlockParam,
  MessageParam,
  TextBlock,
  TextBlockParam,
} from '@anthropic-ai/sdk/resources/messages'

type BlockOf<Type extends ContentBlockParam['type']> = Extract<ContentBlockParam, { type: Type }>

function blocksOf(message: MessageParam): ContentBlockParam[] {
  return typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : [...message.content]
}

function only<Type extends ContentBlockParam['type']>(message: MessageParam, type: Type): BlockOf<Type>[] {
  return blocksOf(message).filter((block): block is BlockOf<Type> => block.type === type)
}

function isText(block: ContentBlock): block is TextBlock {
  return block.type === 'text'
}

function withCacheMark(messages: readonly MessageParam[]): MessageParam[] {
  return messages.map((message, index) => {
    if (index !== messages.length - 1) return message
    const blocks = blocksOf(message)
    const last = blocks.at(-1)
    if (last?.type !== 'text') return message
    const marked: TextBlockParam = { ...last, cache_control: { type: 'ephemeral' } }
    return { role: 'user', content: [...blocks.slice(0, -1), marked] }
  })
}

function trim<T extends { role: MessageParam['role'] }>(messages: readonly T[], keep: number): T[] {
  return messages.slice(-keep)
}

const history: MessageParam[] = [
  { role: 'user', content: 'One' },
  { role: 'assistant', content: [{ type: 'text', text: 'Two' }] },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'Three' },
      { type: 'text', text: 'Four' },
    ],
  },
]
console.log(history.flatMap((message) => only(message, 'text').map(({ text }) => text)))
console.log(JSON.stringify(withCacheMark(history).at(-1)))
console.log(trim(history, 1).length)

const reply = await new Anthropic().messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 100,
  messages: withCacheMark(history),
})
console.log(reply.content.filter(isText).map(({ text }) => text))
console.log(Object.keys(reply.usage).includes('cache_creation_input_tokens'))
