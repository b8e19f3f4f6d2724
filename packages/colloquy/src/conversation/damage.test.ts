import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import fc from 'fast-check'
import { script } from '../engines/script.ts'
import {
  type Conversation,
  type ConversationMessage,
  type Conversations,
  type ConversationStore,
  type Damage,
  openConversations,
} from './index.ts'
import { postgresStore } from './stores/postgres/store.ts'
import { sqliteStore } from './stores/sqlite/store.ts'
import { connectPostgres } from '../../../../test/stores.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }

/** A store whose rows a test can damage with SQL. */
interface Damageable {
  open(): ConversationStore
  damage(sql: string): Promise<unknown>
}

let schemas = 0
const db = connectPostgres()

const stores: Record<string, (folder: string) => Damageable> = {
  sqliteStore(folder) {
    const path = join(folder, 'colloquy.db')
    const damage = async (sql: string): Promise<void> => {
      const file = new DatabaseSync(path)
      file.exec(sql)
      file.close()
    }
    return { open: () => sqliteStore(path), damage }
  },
  postgresStore() {
    const schema = `damage_${++schemas}`
    const damage = async (sql: string): Promise<unknown> => db.exec(`SET search_path = ${schema}; ${sql}`)
    return { open: () => postgresStore(db, { schema }), damage }
  },
}

for (const [name, make] of Object.entries(stores)) {
  describe(`a damaged row in ${name}`, () => {
    let folder: string
    let place: Damageable
    let conversations: Conversations

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
      place = make(folder)
      reopen()
    })
    afterEach(async () => {
      await conversations.close()
      rmSync(folder, { recursive: true })
    })

    function reopen(): void {
      conversations = openConversations({ engine: script([{ reply: 'r', times: 20 }]), store: place.open() })
    }

    /** A conversation with three turns, reopened after the damage. */
    async function damaged(sql: string): Promise<Conversation> {
      await conversations.create({ ...settings, id: 'one', metadata: { a: 1 } })
      const conversation = await conversations.open('one')
      for (const text of ['a', 'b', 'c']) await conversation.send(text)
      await conversations.close()
      await place.damage(sql)
      reopen()
      return conversations.open('one')
    }

    async function check(id?: string): Promise<[string | undefined, string][]> {
      const found: Damage[] = await Array.fromAsync(conversations.check(id))
      return found.map(({ messageId, problem }) => [messageId, problem])
    }

    const damages = {
      'a message that is not JSON': "UPDATE message SET json = '{\u0001' WHERE number = 3",
      'a message with other words': `UPDATE message SET json = replace(json, '"b"', '"x"') WHERE number = 3`,
      'a message without content': `UPDATE message SET json = replace(json, 'content', 'c\u0003ntent') WHERE number = 3`,
      'a message without its checksum, and not JSON': "UPDATE message SET json = '{', checksum = NULL WHERE number = 3",
      'another state': "UPDATE message SET state = 'interrupted' WHERE number = 3",
      'another parent': 'UPDATE message SET parent = 9 WHERE number = 3',
      'another role': "UPDATE message SET role = 'user\u0001' WHERE number = 3",
      'another time': 'UPDATE message SET created_at = created_at + 1024 WHERE number = 3',
      // Only SQLite has values of other types than their column.
      ...(name === 'sqliteStore' && {
        'a message that is not text': "UPDATE message SET json = x'00' WHERE number = 3",
      }),
      'no checksum': 'UPDATE message SET checksum = NULL WHERE number = 3',
    }
    for (const [what, sql] of Object.entries(damages)) {
      test(`${what} is named, and the rest can be read and continued`, async () => {
        const conversation = await damaged(sql)
        const message = 'Cannot read message 3 of conversation one: it is damaged'
        await assert.rejects(conversation.send('d'), { name: 'StoreError', code: 'damaged', message })
        assert.throws(() => conversation.preview('d'), { name: 'StoreError', code: 'damaged' })
        const shown = conversation.messages.find(({ id }) => id === '3')
        assert.deepEqual([shown?.content, shown?.error?.message], [[], message])
        assert.equal(conversation.messages.at(-1)?.id, '6')
        assert.equal(conversation.usage.calls, 3)
        // The path to a message whose parent is unknown cannot be taken back.
        if (what !== 'another parent') await conversation.undo(2)
        else await conversation.retry('1')
        assert.equal((await conversation.send('again')).text, 'r')
      })
    }

    test('is not shown in place of another one', async () => {
      // Rows that were moved: their contents are intact.
      const conversation = await damaged(
        `UPDATE message SET number = -number WHERE number IN (1, 3);
         UPDATE message SET number = number + 4, parent = number + 3 WHERE number < 0`,
      )
      const shown = conversation.messages.map(({ id, content, error }) => [id, error ? 'damaged' : textIn(content)])
      assert.deepEqual(
        shown.filter(([id]) => id === '1' || id === '3'),
        [
          ['1', 'damaged'],
          ['3', 'damaged'],
        ],
      )
    })

    test('is not shown in another conversation', async () => {
      await conversations.create({ ...settings, id: 'two' })
      const conversation = await damaged(`UPDATE conversation SET public_id = 'two ' WHERE public_id = 'two';
        UPDATE conversation SET public_id = 'two' WHERE public_id = 'one';
        UPDATE conversation SET public_id = 'one' WHERE public_id = 'two '`)
      assert.deepEqual(conversation.messages, [])
      const other = await conversations.open('two')
      assert.deepEqual(new Set(other.messages.map(({ error }) => error?.message.slice(-10))), new Set(['is damaged']))
    })

    test('is a line of its own in an export, which can be imported', async () => {
      const conversation = await damaged(damages['a message with other words'])
      const lines = await Array.fromAsync(conversations.export(conversation.id))
      assert.equal(lines.length, 7)
      assert.match(lines[3]!, /^\{"type":"damaged","id":"3","parentId":"2","error":"Cannot read message 3/)
      const copy = await conversations.import(lines.join('\n'))
      assert.deepEqual(
        copy.report.notes.map(({ line }) => line),
        [4, 5],
      )
      assert.equal(copy.messages.length, 5)
    })

    test('is found by check(), with its conversation and its message', async () => {
      await damaged(damages['a message with other words'])
      assert.deepEqual(await check(), [['3', 'It is damaged.']])
      assert.deepEqual(await check('one'), [['3', 'It is damaged.']])
      await conversations.create({ ...settings, id: 'two' })
      assert.deepEqual(await check('two'), [])
      await place.damage(`UPDATE message SET parent = 9, role = 'usep' WHERE number = 2;
        UPDATE metadata SET json = '{'; UPDATE conversation SET head = 77 WHERE public_id = 'one'`)
      assert.deepEqual(await check(), [
        [undefined, 'Its metadata is damaged.'],
        ['2', 'It is damaged.'],
        ['2', 'The message before it, 9, does not exist.'],
        ['2', 'Its role is "usep".'],
        ['3', 'It is damaged.'],
        [undefined, 'Its active message 77 does not exist.'],
      ])
    })

    test('in the settings is named, and configure() replaces them', async () => {
      for (const sql of [
        `UPDATE settings SET json = replace(json, 'claude', 'cl\u0001ude')`,
        "UPDATE settings SET json = '{'",
      ]) {
        const conversation = await damaged(sql)
        assert.deepEqual(await check(), [[undefined, 'Its settings are damaged.']])
        assert.equal(conversation.messages.length, 6)
        const message = 'Cannot read the settings of conversation one: they are damaged'
        assert.throws(() => conversation.settings, { name: 'StoreError', code: 'damaged', message })
        await assert.rejects(conversation.send('d'), { name: 'StoreError', code: 'damaged', message })
        await conversation.configure(settings)
        await conversation.send('d')
        assert.deepEqual((await conversations.open('one')).settings, settings)
        await conversations.delete('one')
      }
    })

    test('can be erased', async () => {
      const conversation = await damaged("UPDATE message SET json = '{', reply = '{' WHERE number = 4")
      assert.equal(conversation.usage.calls, 2)
      assert.equal((await conversations.list())[0]?.calls, 2)
      await conversation.erase('4')
      assert.deepEqual(await check(), [])
      assert.equal((await conversation.send('d')).text, 'r')
    })
  })
}

describe('a SQLite file with flipped bytes', () => {
  let folder: string
  let bytes: Buffer
  let whole: readonly ConversationMessage[]
  const texts = Array.from({ length: 6 }, (_, index) => `message ${index} ${'of some length '.repeat(40)}`)

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    const path = join(folder, 'whole.db')
    const conversations = openConversations({
      engine: script([{ reply: 'a reply', times: 9 }]),
      store: sqliteStore(path),
    })
    const conversation = await conversations.create({ ...settings, id: 'one' })
    for (const text of texts) await conversation.send(text)
    whole = conversation.messages
    await conversations.close()
    bytes = readFileSync(path)
  })
  after(() => rmSync(folder, { recursive: true }))

  test('ends a read when the numbers of its rows do not rise', async () => {
    // The entry for the last message in the index: the lengths of its columns, then the number 12 and the row 12.
    const damaged = Buffer.from(bytes)
    damaged[damaged.indexOf(Buffer.from([4, 9, 1, 1, 12, 12])) + 4] = 3
    const path = join(folder, 'third.db')
    writeFileSync(path, damaged)
    const conversations = openConversations({ engine: script([]), store: sqliteStore(path) })
    const message = 'Cannot read conversation one: its messages are out of order'
    await assert.rejects(Array.fromAsync(conversations.export('one')), { name: 'StoreError', code: 'damaged', message })
    const problems = await Array.fromAsync(conversations.check('one'))
    assert.deepEqual(problems.at(-1), { conversationId: 'one', messageId: undefined, problem: message })
    await conversations.close()
  })

  test('counts no reply twice', async () => {
    // The entry for message 11 in the index, whose number becomes an empty text, and its row that of message 6.
    const damaged = Buffer.from(bytes)
    const at = damaged.indexOf(Buffer.from([6, 4, 9, 1, 1, 11, 11]))
    damaged[at] = 7
    damaged[at + 3] = 13
    const path = join(folder, 'twice.db')
    writeFileSync(path, damaged)
    const conversations = openConversations({ engine: script([]), store: sqliteStore(path) })
    assert.equal((await conversations.open('one')).usage.calls, 6)
    await conversations.close()
  })

  test('shows the messages unchanged or damaged, and throws nothing but errors of its own', async () => {
    const flip = fc.record({ at: fc.nat(bytes.length - 1), bits: fc.integer({ min: 1, max: 255 }) })
    let files = 0
    const property = fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 12 }), async (flips) => {
      const path = join(folder, `${++files}.db`)
      const damaged = Buffer.from(bytes)
      for (const { at, bits } of flips) damaged[at]! ^= bits
      writeFileSync(path, damaged)
      let conversations: Conversations | undefined
      try {
        conversations = openConversations({ engine: script(['more']), store: sqliteStore(path) })
        const conversation = await conversations.open('one')
        const intact = conversation.messages.filter(({ error }) => error === undefined)
        assert.deepEqual(
          intact,
          whole.filter(({ id }) => intact.some((message) => message.id === id)),
        )
        assert.ok(conversation.usage.calls <= 6)
        await Array.fromAsync(conversations.export('one'))
        await conversation.send('more')
      } catch (error) {
        const known = ['StoreError', 'ConversationNotFoundError', 'ConversationConflictError']
        if (!known.includes((error as Error).name)) throw error
      } finally {
        await conversations?.close().catch(() => {})
        rmSync(path, { force: true })
      }
    })
    await fc.assert(property, { numRuns: Number(process.env.COLLOQUY_DAMAGE_RUNS ?? 60) })
  })
})

function textIn(content: ConversationMessage['content']): string {
  return typeof content === 'string'
    ? content
    : content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}
