import Anthropic from '@anthropic-ai/sdk'
import type { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'

class Screen {
  #lines = 0

  attach(stream: MessageStream): void {
    stream
      .on('connect', () => console.log('connected'))
      .on('text', (delta, snapshot) => {
        process.stdout.write(delta)
        if (snapshot.endsWith('\n')) this.#lines += 1
      })
      .on('thinking', (delta) => process.stdout.write(`(${delta})`))
      .on('contentBlock', (block) => console.log(`\n[${block.type}]`))
      .on('message', (message) => console.log(message.stop_reason))
      .on('error', (error) => console.log(error.name))
      .on('end', () => console.log(`end after ${this.#lines} lines`))
  }
}

const client = new Anthropic()
const stream = client.messages.stream({
  model: 'claude-sonnet-4-6',
  max_tokens: 200,
  messages: [{ role: 'user', content: 'Write two short lines.' }],
})
new Screen().attach(stream)
const text: string = await stream.finalText()
const { usage }: Anthropic.Message = await stream.finalMessage()
console.log(text.length > 0, usage.output_tokens > 0, stream.ended, stream.aborted)
