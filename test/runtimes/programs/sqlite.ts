import { openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { clientOf } from './client.ts'
import { converse } from './conversation.ts'
import { type Promises, equal, failure, ok } from './promise.ts'

/** The behavior of a conversation in a file, in runtimes with SQLite. */
export const sqlitePromises: Promises = {
  'a conversation in SQLite survives closing the file': async ({ folder, ...given }) => {
    const path = `${folder}/talks.db`
    const client = clientOf(given)
    const first = openConversations({ client, store: sqliteStore(path) })
    const id = await converse(first)
    await first.close()

    const second = openConversations({ client, store: sqliteStore(path) })
    const talk = await second.open(id)
    equal(
      talk.messages.map(({ role }) => role),
      ['user', 'assistant', 'user', 'assistant'],
    )
    equal((await talk.send('What did I say first?')).text.includes('My name is Ada.'), true)
    equal((await second.list()).length, 1)
    equal((await second.search('aDa')).length, 4)
    await second.delete(id)
    equal((await second.search('ada')).length, 0)
    await second.close()
  },
  'a file that cannot be opened is a clear error': async ({ folder, ...given }) => {
    const open = async (): Promise<unknown> => {
      const conversations = openConversations({
        client: clientOf(given),
        store: sqliteStore(`${folder}/none/talks.db`),
      })
      return conversations.list()
    }
    const error = await failure(open())
    ok(error instanceof Error && error.name === 'StoreError', `${String(error)} is a StoreError`)
    ok(error.message.startsWith(`Cannot open ${folder}/none/talks.db`), `${error.message} names the file`)
  },
}
