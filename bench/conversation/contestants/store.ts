import { join } from 'node:path'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { asked, type Contestant, history, replied, settings, usage } from '../contestant.ts'

/** The two steps of the store, without a conversation. */
export async function open(folder: string): Promise<Contestant> {
  const store = sqliteStore(join(folder, 'store.db'))
  let count = 0
  return {
    async start(turns) {
      const id = `conversation ${++count}`
      const messages = history(turns).map((message, index) => ({
        number: index + 1,
        parent: index,
        role: message.role,
        state: 'committed' as const,
        createdAt: 0,
        json: JSON.stringify(message),
        received: null,
        reply: null,
      }))
      let parent = messages.length
      let version = 1
      await store.create({ id, title: null, settings: JSON.stringify(settings), at: 0, messages, head: parent })
      return {
        async turn() {
          const question = [{ role: 'user', json: JSON.stringify(asked) }]
          const begun = await store.begin({ id, version, parent, messages: question, at: 0 })
          if (begun.repeated) throw new Error('No key was given')
          version = begun.version
          parent = begun.reply
          const end = { json: JSON.stringify(replied), received: null, reply: JSON.stringify({ message: { usage } }) }
          await store.finish({ id, handle: begun.handle, state: 'committed', ...end, at: 0 })
        },
        load: async () => (await store.open(id))!.messages.length,
      }
    },
    close: () => store.close(),
  }
}
