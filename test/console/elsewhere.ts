// The other process of a test: it uses the chats of a file, as told by the lines of its input.
import { createInterface } from 'node:readline'
import { openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { held } from './held.ts'

const [, , path = '', id = ''] = process.argv

const store = sqliteStore(path)
const conversations = openConversations({ engine: held('Written in another process.'), store })
for await (const line of createInterface(process.stdin)) {
  if (line === 'stop') process.stdout.write(`stopped ${await conversations.stop(id)}\n`)
  else {
    const conversation = await conversations.open(id)
    const turn = conversation.send(line)
    try {
      for await (const { type } of turn.events) if (type === 'content_block_start') process.stdout.write('writing\n')
    } catch {
      // It was stopped.
    }
    process.stdout.write(`ended ${conversation.messages.at(-1)?.state}\n`)
  }
}
await conversations.close()
await store.close()
