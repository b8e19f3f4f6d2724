import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { script } from '../../../engines/script.ts'
import { type Conversation, openConversations } from '../../index.ts'
import type { ConversationStore } from '../store.ts'
import { isGone, thisProcess } from '../owner.ts'
import { sqliteStore } from './store.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }

describe('sqliteStore', () => {
  let folder: string
  let path: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    path = join(folder, 'colloquy.db')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** Writes a conversation with a turn for each reply, and closes the file. */
  async function write(...replies: string[]): Promise<string> {
    const conversations = openConversations({ engine: script(replies), store: sqliteStore(path) })
    const conversation = await conversations.create(settings)
    for (const reply of replies) await conversation.send(`say ${reply}`)
    await conversations.close()
    return conversation.id
  }

  async function read(id: string): Promise<string[]> {
    const conversations = openConversations({ engine: script([]), store: sqliteStore(path) })
    const texts = said(await conversations.open(id))
    await conversations.close()
    return texts
  }

  test('keeps conversations in the file', async () => {
    const id = await write('hello')
    assert.deepEqual(await read(id), ['say hello', 'hello'])
  })

  test('a turn takes eight statements, also after many others', async () => {
    const replies = Array.from({ length: 20 }, () => 'yes')
    const conversations = openConversations({ engine: script(replies), store: sqliteStore(path) })
    const conversation = await conversations.create(settings)
    for (let turn = 1; turn < replies.length; turn++) await conversation.send('hello')
    const methods = [mock.method(DatabaseSync.prototype, 'exec')]
    for (const name of ['run', 'get', 'all'] as const) methods.push(mock.method(StatementSync.prototype, name) as never)
    await conversation.send('hello')
    const counts = methods.map((method) => method.mock.callCount())
    for (const method of methods) method.mock.restore()
    await conversations.close()
    // Two transactions, three statements that begin the turn, and one that ends it. None of them returns rows.
    assert.deepEqual(counts, [0, 8, 0, 0])
  })

  test('keeps conversations in memory if the path is :memory:', async () => {
    const conversations = openConversations({ engine: script(['hello']), store: sqliteStore(':memory:') })
    const conversation = await conversations.create(settings)
    await conversation.send('say hello')
    assert.deepEqual(said(await conversations.open(conversation.id)), ['say hello', 'hello'])
  })

  test('opens a new file twice at once', async () => {
    const one = sqliteStore(path)
    const two = sqliteStore(path)
    const conversation = await openConversations({ engine: script(['hello']), store: one }).create(settings)
    await conversation.send('say hello')
    assert.deepEqual(said(await openConversations({ engine: script([]), store: two }).open(conversation.id)), [
      'say hello',
      'hello',
    ])
    await one.close()
    await two.close()
  })

  test('a locked database: waits, then throws, and writes nothing', async () => {
    const id = await write('one')
    const other = new DatabaseSync(path)
    const store = sqliteStore(path, { busyTimeoutMs: 60 })
    const engine = script(['two', 'three'])
    const conversation = await openConversations({ engine, store }).open(id)
    other.exec('BEGIN IMMEDIATE')
    await assert.rejects(conversation.send('say two'), {
      name: 'StoreError',
      code: 'locked',
      message: `Cannot begin the turn in ${path}: another process holds its lock`,
    })
    assert.equal(engine.requests.length, 0)
    await store.close()
    const patient = sqliteStore(path, { busyTimeoutMs: 60_000 })
    const again = await openConversations({ engine, store: patient }).open(id)
    setTimeout(() => other.exec('ROLLBACK'), 20)
    assert.equal((await again.send('say two')).text, 'two')
    other.close()
    await patient.close()
    assert.deepEqual(await read(id), ['say one', 'one', 'say two', 'two'])
  })

  test('a reply that could not be saved is saved before the next write', async () => {
    const id = await write('one')
    const other = new DatabaseSync(path)
    const engine = script([{ reply: 'two', eventDelayMs: 2 }, 'three'])
    const store = sqliteStore(path, { busyTimeoutMs: 30 })
    const conversation = await openConversations({ engine, store }).open(id)
    const turn = conversation.send('say two')
    for await (const _ of turn.text) {
      other.exec('BEGIN IMMEDIATE')
      break
    }
    await assert.rejects(turn, { name: 'StoreError', code: 'locked' })
    other.exec('ROLLBACK')
    other.close()
    assert.equal((await conversation.send('say three')).text, 'three')
    assert.deepEqual(said(conversation), ['say one', 'one', 'say two', 'two', 'say three', 'three'])
    await store.close()
    assert.deepEqual(await read(id), said(conversation))
  })

  test('new files can be read by their owner only, unless a mode is given', async () => {
    const umask = process.umask(0o022)
    const modes = async (name: string, mode?: number): Promise<Record<string, string>> => {
      const store = sqliteStore(join(folder, name), mode === undefined ? {} : { mode })
      await store.create({ id: `${name} ${mode}`, title: null, settings: '{}', at: 0 })
      const files = readdirSync(folder).filter((each) => each.startsWith(name))
      const found = files.map((each) => [each, (statSync(join(folder, each)).mode & 0o777).toString(8)])
      await store.close()
      return Object.fromEntries(found) as Record<string, string>
    }
    try {
      assert.deepEqual(await modes('a.db'), { 'a.db': '600', 'a.db-shm': '600', 'a.db-wal': '600' })
      assert.deepEqual(await modes('b.db', 0o640), { 'b.db': '640', 'b.db-shm': '640', 'b.db-wal': '640' })
      chmodSync(join(folder, 'a.db'), 0o644)
      assert.equal((await modes('a.db', 0o640))['a.db'], '644')
    } finally {
      process.umask(umask)
    }
  })

  test('an empty path', () => {
    const message = 'Cannot open a store: its path is empty'
    assert.throws(() => sqliteStore(''), { name: 'StoreError', code: 'cannot_open', message })
  })

  test('a read-only file', async () => {
    const id = await write('one')
    let immutable: ConversationStore | undefined
    withoutRights(folder, () => {
      const message = `Cannot open ${path}: it is read-only`
      assert.throws(() => sqliteStore(path), { name: 'StoreError', code: 'read_only', message })
      immutable = sqliteStore(`file:${path}?immutable=1`)
    })
    assert.equal((await immutable!.open(id))?.messages.length, 2)
    await immutable!.close()
    assert.deepEqual(await read(id), ['say one', 'one'])
  })

  test('a read-only connection', async () => {
    const id = await write('one')
    const engine = script(['two'])
    const { store, db } = openWithConnection(path)
    const conversation = await openConversations({ engine, store }).open(id)
    db.exec('PRAGMA query_only = ON')
    await assert.rejects(conversation.send('say two'), {
      name: 'StoreError',
      code: 'read_only',
      message: `Cannot begin the turn in ${path}: it is read-only`,
    })
    assert.deepEqual(said(conversation), ['say one', 'one'])
    assert.equal(engine.requests.length, 0)
    await store.close()
  })

  test('a file that is not a database', () => {
    writeFileSync(path, 'This is a letter and no database, however long it may be. '.repeat(50))
    assert.throws(() => sqliteStore(path), {
      name: 'StoreError',
      code: 'damaged',
      message: `Cannot open ${path}: the file is not a SQLite database`,
    })
    assert.match(readFileSync(path, 'utf8'), /^This is a letter/)
  })

  test('a damaged database', async () => {
    const id = await write(...Array.from({ length: 60 }, (_, index) => `${index} ${'text '.repeat(300)}`))
    const { size } = statSync(path)
    truncateSync(path, Math.floor(size / 2048) * 1024)
    let error: unknown
    try {
      await read(id)
    } catch (caught) {
      error = caught
    }
    assert.equal((error as { name?: string }).name, 'StoreError')
    assert.equal((error as { code?: string }).code, 'damaged')
  })

  test('a database written by a newer version', async () => {
    await write('one')
    const db = new DatabaseSync(path)
    db.exec("INSERT INTO migration VALUES ('9999 tomorrow', 0)")
    db.close()
    assert.throws(() => sqliteStore(path), {
      name: 'StoreError',
      code: 'newer',
      message: `Cannot open ${path}: a newer version wrote it, and this one does not know its migration "9999 tomorrow"`,
    })
  })

  test('a folder that does not exist', () => {
    assert.throws(() => sqliteStore(join(folder, 'nowhere', 'a.db')), { name: 'StoreError', code: 'cannot_open' })
  })

  test('a full disk: the turn throws and writes nothing, and works when there is room', async () => {
    const id = await write('one')
    const { store, db } = openWithConnection(path)
    const engine = script(['two', 'three'])
    const conversation = await openConversations({ engine, store }).open(id)
    const grow = fill(db)
    await assert.rejects(conversation.send('x'.repeat(100_000)), {
      name: 'StoreError',
      code: 'full',
      message: `Cannot begin the turn in ${path}: the disk is full`,
    })
    assert.equal(engine.requests.length, 0)
    assert.deepEqual(said(conversation), ['say one', 'one'])
    grow()
    await conversation.send('say two')
    await store.close()
    assert.deepEqual(await read(id), ['say one', 'one', 'say two', 'two'])
  })

  test('a disk that fills during a reply: the reply is saved when there is room', async () => {
    const id = await write('one')
    const { store, db } = openWithConnection(path)
    const long = 'long '.repeat(40_000)
    const conversation = await openConversations({ engine: script([long, 'three']), store }).open(id)
    const turn = conversation.send('say two')
    let grow: (() => void) | undefined
    for await (const _ of turn.text) {
      grow = fill(db)
      break
    }
    await assert.rejects(turn, { name: 'StoreError', code: 'full' })
    await assert.rejects(conversation.send('say three'), { name: 'StoreError', code: 'full' })
    grow!()
    await conversation.send('say three')
    await store.close()
    assert.deepEqual(await read(id), ['say one', 'one', 'say two', long, 'say three', 'three'])
  })

  test('erased text is in none of the files', async () => {
    const id = await write('a secret word', 'unspoken')
    const store = sqliteStore(path)
    const conversations = openConversations({ engine: script(['xylophone in the reply']), store })
    const conversation = await conversations.open(id)
    await conversation.send('remember the xylophone')
    assert.equal((await conversations.search('xylophone')).length, 2)
    await conversation.erase('5')
    assert.deepEqual(filesWith(folder, 'xylophone'), [])
    assert.deepEqual(await conversations.search('xylophone'), [])
    assert.ok(filesWith(folder, 'secret').length > 0)
    await conversations.delete(id)
    assert.deepEqual(filesWith(folder, 'secret'), [])
    await conversations.close()
  })

  test('the view `call` sums up costs', async () => {
    await write('one', 'two')
    const db = new DatabaseSync(path)
    const row = db
      .prepare('SELECT count(*) AS calls, sum(output_tokens) AS output, sum(cost_pico_usd) AS cost FROM call')
      .get()
    db.close()
    assert.equal(row?.calls, 2)
    assert.ok(Number(row?.output) > 0)
    assert.ok(Number(row?.cost) > 0)
  })
})

describe('the owner of a turn', () => {
  test('is gone if its process is known to have ended', () => {
    const [host, pid, start] = thisProcess().split(' ') as [string, string, string]
    assert.equal(isGone(thisProcess()), false)
    assert.equal(isGone(`${host} ${process.ppid} 0`), false)
    assert.equal(isGone(`${host} 999999999 ${start}`), true)
    assert.equal(isGone(`${host} ${pid} 12345`), true, 'another process had this number')
    assert.equal(isGone(`elsewhere 999999999 ${start}`), false)
  })

  test('is not looked for on another machine or in another container of the same name', () => {
    const [machine, pid] = thisProcess().split(' ') as [string, string]
    const others = [hostname(), `${hostname()}/`, `${hostname()}/00000000/1`]
    for (const other of others.filter((each) => each !== machine)) {
      assert.deepEqual([isGone(`${other} 999999999 1`), isGone(`${other} ${pid} 1`)], [false, false], other)
    }
    if (process.platform === 'linux') assert.match(machine, /\/[0-9a-f]{8}\/\d+$/)
  })
})

function said({ messages }: Conversation): string[] {
  return messages.map(({ content }) =>
    typeof content === 'string' ? content : content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
  )
}

/** Opens a store and returns its connection too, so that a test can break it. */
function openWithConnection(path: string): { store: ConversationStore; db: DatabaseSync } {
  const exec = mock.method(DatabaseSync.prototype, 'exec')
  const store = sqliteStore(path)
  exec.mock.restore()
  return { store, db: exec.mock.calls[0]!.this as DatabaseSync }
}

/** Stops the database from growing; returns a function that lets it grow again. */
function fill(db: DatabaseSync): () => void {
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  db.exec(`PRAGMA max_page_count = ${pages}`)
  return () => db.exec('PRAGMA max_page_count = 1000000')
}

function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text))
}

/** Runs the work while the files of the folder are read-only, for root too. */
function withoutRights(folder: string, work: () => void): void {
  const isRoot = process.getuid?.() === 0
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444)
  chmodSync(folder, 0o555)
  if (isRoot) process.seteuid!(65_534)
  try {
    work()
  } finally {
    if (isRoot) process.seteuid!(0)
    chmodSync(folder, 0o700)
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o600)
  }
}
