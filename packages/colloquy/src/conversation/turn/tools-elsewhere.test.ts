import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import pg from 'pg'
import { tool } from '../../tools/tool.ts'
import { script } from '../../engines/script.ts'
import { type ConversationStore, openConversations } from '../index.ts'
import { postgresStore } from '../stores/postgres/store.ts'
import { sqliteStore } from '../stores/sqlite/store.ts'
import { startPostgres } from '../../../../../test/postgres-server.ts'

// While a tool runs in one process, no reply is in flight: the others see by a lease that the turn is.

const [, , place, id] = process.argv
if (place !== undefined && id !== undefined) await talk(place, id)
else {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  after(() => rmSync(folder, { recursive: true }))
  const places: Record<string, string> = { sqliteStore: join(folder, 'colloquy.db') }
  const server = startPostgres()
  after(() => server?.stop())
  if (server === undefined)
    test('postgresStore', { skip: 'NOT TESTED: no PostgreSQL is installed that this user may start' })
  else places.postgresStore = server.url
  for (const [name, at] of Object.entries(places)) {
    test(`${name}: a turn whose tool runs in another process is in flight`, async () => {
      await using elsewhere = await Elsewhere.talk(at)
      const { conversation } = elsewhere
      assert.equal(conversation.receiving, '2')
      await assert.rejects(conversation.send('me too'), { name: 'ConversationConflictError', reason: 'busy' })
      await assert.rejects(conversation.retry('1'), { name: 'ConversationConflictError', reason: 'busy' })
      await assert.rejects(conversation.undo(), { name: 'ConversationConflictError', reason: 'busy' })
      const waiting = conversation.send('after you', { onConflict: 'queue' })
      elsewhere.finishTool()
      assert.equal((await waiting).text, 'here')
      const texts = conversation.messages.map(({ role, content }) => (typeof content === 'string' ? content : role))
      assert.deepEqual(texts, ['look', 'assistant', 'user', 'assistant', 'after you', 'assistant'])
      assert.equal(conversation.receiving, undefined)
    })

    test(`${name}: a turn whose process dies while its tool runs is continued`, async () => {
      await using elsewhere = await Elsewhere.talk(at)
      const { conversation } = elsewhere
      const waiting = conversation.send('are you there?', { onConflict: 'queue' })
      await elsewhere.kill()
      assert.equal((await waiting).text, 'here')
      const [, , answer] = conversation.messages
      assert.match(JSON.stringify(answer?.content), /was interrupted, and what it did is not known.*are you there/)
      assert.equal(conversation.receiving, undefined)
    })

    test(`${name}: stop() ends a turn whose tool runs in another process`, async () => {
      await using elsewhere = await Elsewhere.talk(at)
      const { conversation, conversations } = elsewhere
      assert.equal(await conversations.stop(conversation.id), true)
      assert.equal((await conversation.send('and now?')).text, 'here')
    })

    test(`${name}: follow() waits for the tool of another process`, async () => {
      await using elsewhere = await Elsewhere.talk(at)
      const { conversation, conversations } = elsewhere
      const events: string[] = []
      for await (const event of conversations.follow(conversation.id)) {
        events.push(event.type)
        if (event.type === 'step_end' && events.filter((type) => type === 'step_end').length === 1)
          elsewhere.finishTool()
      }
      assert.deepEqual(
        events.filter((type) => type === 'step_end'),
        ['step_end', 'step_end'],
      )
    })
  }
}

function open(place: string): { store: ConversationStore; close: () => Promise<void> } {
  if (!place.startsWith('postgres:')) {
    const store = sqliteStore(place)
    return { store, close: () => store.close() }
  }
  const pool = new pg.Pool({ connectionString: place, max: 4 })
  return { store: postgresStore(pool), close: () => pool.end() }
}

/** A process that runs a turn whose tool ends when it is told to. */
class Elsewhere {
  readonly conversations
  readonly conversation
  readonly #process: ChildProcess
  readonly #close: () => Promise<void>

  private constructor(process: ChildProcess, opened: Opened) {
    this.#process = process
    this.conversations = opened.conversations
    this.conversation = opened.conversation
    this.#close = opened.close
  }

  /** Starts the process, waits until its tool runs, and opens its conversation here. */
  static async talk(place: string): Promise<Elsewhere> {
    const { store, close } = open(place)
    const conversations = openConversations({ engine: script([{ reply: 'here', times: 9 }]), store })
    const { id } = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
    const args = ['--conditions=@colloquy/source', import.meta.filename, place, id]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    const conversation = await conversations.open(id)
    return new Elsewhere(child, { conversations, conversation, close })
  }

  finishTool(): void {
    this.#process.stdin!.write('go\n')
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.kill()
    await this.#close()
  }
}

type Conversations = ReturnType<typeof openConversations>

interface Opened {
  conversations: Conversations
  conversation: Awaited<ReturnType<Conversations['open']>>
  close: () => Promise<void>
}

async function talk(place: string, id: string): Promise<void> {
  const { store, close } = open(place)
  const look = tool({
    name: 'look',
    description: 'Looks.',
    inputSchema: { type: 'object', properties: {} },
    run: async (_, { signal }) => {
      process.stdout.write('running\n')
      await once(process.stdin, 'data', { signal: signal ?? undefined })
      return 'seen'
    },
  })
  const calls = { content: [{ type: 'tool_use' as const, id: 'toolu_1', name: 'look', input: {} }] }
  const conversations = openConversations({ engine: script([{ reply: calls }, { reply: 'looked' }]), store })
  const conversation = await conversations.open(id)
  await conversation.send('look', { tools: [look] }).catch(() => {})
  await close()
  process.exit()
}
