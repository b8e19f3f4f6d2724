import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs, { copyFileSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { script } from '../../../../engines/script.ts'
import { openConversations } from '../../../index.ts'
import type { BegunTurn, ConversationStore, FinishStep } from '../../store.ts'
import { sqliteStore } from '../store.ts'

const question = '{"role":"user","content":"hi"}'
const reply = '{"role":"assistant","content":"hello"}'

const dying = process.argv[2]
if (dying !== undefined) await dieBeforeSync(dying)
else describe('the sync of the log', syncTests)

function syncTests(): void {
  let folder: string
  let path: string
  let store: ConversationStore

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    path = join(folder, 'colloquy.db')
    store = sqliteStore(path)
    for (const id of ['one', 'two']) await store.create({ id, title: null, settings: '{}', at: 1 })
  })
  afterEach(async () => {
    onSync(undefined)
    await store.close()
    rmSync(folder, { recursive: true })
  })

  function stored(file = path): unknown[] {
    const db = new DatabaseSync(file)
    const rows = db.prepare("SELECT number, state, json FROM message WHERE role = 'assistant'").all()
    db.close()
    return rows.map(({ number, state, json }) => [number, state, json])
  }

  function bytesInLog(): number {
    return statSync(`${path}-wal`).size
  }

  /** Keeps SQLite from emptying the log, until it is closed. */
  function openReader(): DatabaseSync {
    const reader = new DatabaseSync(path)
    reader.exec('BEGIN; SELECT * FROM message')
    return reader
  }

  const losses: Record<string, () => void> = {
    'its file was deleted': () => rmSync(path),
    'its log was deleted': () => rmSync(`${path}-wal`),
    'its folder was deleted': () => ['', '-wal', '-shm'].forEach((suffix) => rmSync(path + suffix)),
    'its file was replaced': () => {
      copyFileSync(path, `${path}.backup`)
      renameSync(`${path}.backup`, path)
    },
  }
  for (const [loss, lose] of Object.entries(losses)) {
    test(`a turn fails if ${loss} more than a second ago`, async (t) => {
      const begun = await begin(store)
      lose()
      const now = performance.now()
      t.mock.method(performance, 'now', () => now + 1_100)
      const found = `in ${path}: its files were deleted, moved or replaced while it was open`
      const message = `Cannot begin the turn ${found}`
      await assert.rejects(begin(store, 'two'), { name: 'StoreError', code: 'cannot_open', message })
      await assert.rejects(finish(store, begun), { code: 'cannot_open', message: `Cannot save the reply ${found}` })
    })
  }

  test('has written a reply before finish() resolves, and no question', async () => {
    const image = join(folder, 'image.db')
    let syncs = 0
    onSync(() => {
      syncs++
      copyFileSync(`${path}-wal`, `${image}-wal`)
    })
    const begun = await begin(store)
    assert.equal(syncs, 0)
    await finish(store, begun)
    assert.equal(syncs, 1)
    // The files as a power failure leaves them.
    copyFileSync(path, image)
    assert.deepEqual(stored(image), [[2, 'committed', reply]])
  })

  test('that fails is replaced by writing the log into the database file', async () => {
    const begun = await begin(store)
    let syncs = 0
    onSync(() => {
      if (++syncs === 1) throw diskError()
    })
    await finish(store, begun)
    assert.equal(bytesInLog(), 0)
    // The emptied log must be on the disk too: SQLite would read an older one again.
    assert.equal(syncs, 2)
    assert.deepEqual(stored(), [[2, 'committed', reply]])
    await finish(store, await begin(store, 'two'))
    assert.ok(bytesInLog() > 0)
    assert.equal(syncs, 3)
  })

  test('that fails is not repeated as long as the log cannot be emptied', async () => {
    const begun = await begin(store)
    const reader = openReader()
    let syncs = 0
    onSync(() => {
      if (++syncs === 1) throw diskError()
    })
    const failed = {
      name: 'StoreError',
      code: 'failed',
      message: `Cannot save the reply in ${path}: the disk failed to read or write`,
    }
    await assert.rejects(finish(store, begun), failed)
    await assert.rejects(finish(store, begun), failed)
    assert.equal(syncs, 1)
    reader.close()
    assert.deepEqual(await finish(store, begun), { number: 2 })
    assert.equal(bytesInLog(), 0)
    assert.deepEqual(stored(), [[2, 'committed', reply]])
    assert.equal((await store.open('one'))?.conversation.version, begun.version)
  })

  test('that always fails makes finish() fail, and names a full disk', async () => {
    const begun = await begin(store)
    onSync(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'fdatasync' })
    })
    await assert.rejects(finish(store, begun), { name: 'StoreError', code: 'full' })
    await assert.rejects(finish(store, begun), { name: 'StoreError', code: 'full' })
    onSync(undefined)
    assert.deepEqual(await finish(store, begun), { number: 2 })
    assert.equal(stored().length, 1)
  })

  test('that fails does not store a late reply twice', async () => {
    const begun = await begin(store)
    await finish(store, begun, { state: 'interrupted', json: '', recovering: true })
    const reader = openReader()
    onSync(() => {
      throw diskError()
    })
    await assert.rejects(finish(store, begun), { code: 'failed' })
    reader.close()
    onSync(undefined)
    assert.deepEqual(await finish(store, begun), { number: 3 })
    assert.deepEqual(stored(), [
      [2, 'interrupted', ''],
      [3, 'committed', reply],
    ])
  })

  test('that fails does not concern a question of the same transaction', async () => {
    const begun = await begin(store)
    const reader = openReader()
    onSync(() => {
      throw diskError()
    })
    const [ended, other] = await Promise.allSettled([finish(store, begun), begin(store, 'two')])
    reader.close()
    assert.deepEqual([ended.status, other.status], ['rejected', 'fulfilled'])
  })

  test('that fails makes a conversation save the reply before its next message', async () => {
    const conversations = openConversations({ engine: script(['one', 'two']), store })
    const conversation = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
    const reader = openReader()
    onSync(() => {
      throw diskError()
    })
    await assert.rejects(conversation.send('say one'), { name: 'StoreError' })
    reader.close()
    onSync(undefined)
    assert.equal((await conversation.send('say two')).text, 'two')
    const reopened = await conversations.open(conversation.id)
    for (const { messages } of [conversation, reopened]) {
      assert.deepEqual(
        messages.map(({ id, state }) => [id, state]),
        ['1', '2', '3', '4'].map((id) => [id, 'committed']),
      )
    }
  })

  describe('on a slow disk', () => {
    let synced: ((error: Error | null) => void)[]

    beforeEach(async () => {
      synced = []
      onSync(() => clock.tick(5))
      const clock = { now: 0, tick: (ms: number): unknown => (clock.now += ms) }
      mock.method(performance, 'now', () => clock.now)
      mock.method(fs, 'fdatasync', (_: number, done: (error: Error | null) => void) => {
        clock.tick(5)
        synced.push(done)
      })
      syncBuiltinESMExports()
      for (const id of ['zero', 'other']) {
        await store.create({ id, title: null, settings: '{}', at: 1 })
        // The turn in `other` stays in flight: without one, the event loop could as well wait.
        const begun = await begin(store, id)
        if (id === 'zero') await finish(store, begun)
      }
    })

    /** Waits until this many replies are committed, whether they are on the disk or not. */
    async function untilCommitted(count: number): Promise<void> {
      const committed = (): unknown[] => stored().filter((row) => (row as unknown[])[1] === 'committed')
      while (committed().length < count) await new Promise((resolve) => setImmediate(resolve))
    }

    /** Waits until a thread has begun to sync for the given time. */
    async function untilSyncing(count: number): Promise<void> {
      while (synced.length < count) await new Promise((resolve) => setImmediate(resolve))
    }

    test('the event loop does not wait, and what is committed meanwhile shares the next sync', async () => {
      const begun = [await begin(store), await begin(store, 'two')]
      await store.create({ id: 'three', title: null, settings: '{}', at: 1 })
      begun.push(await begin(store, 'three'))
      const ended: string[] = []
      const ends = begun.map((each, index) => async () => {
        await finish(store, each)
        ended.push(String(index))
      })
      const first = ends[0]!()
      await untilSyncing(1)
      const others = [ends[1]!()]
      await untilCommitted(3)
      others.push(ends[2]!())
      await untilCommitted(4)
      assert.deepEqual([synced.length, ended], [1, []])
      synced[0]!(null)
      await first
      await untilSyncing(2)
      assert.deepEqual([synced.length, ended], [2, ['0']])
      synced[1]!(null)
      await Promise.all(others)
    })

    test('one that fails is replaced by writing the log into the database file', async () => {
      const ending = finish(store, await begin(store))
      await untilSyncing(1)
      synced[0]!(diskError())
      assert.deepEqual(await ending, { number: 2 })
      assert.equal(bytesInLog(), 0)
    })

    test('one that fails and cannot be replaced makes finish() fail', async () => {
      const begun = await begin(store)
      const reader = openReader()
      const ending = finish(store, begun)
      await untilSyncing(1)
      synced[0]!(diskError())
      await assert.rejects(ending, { name: 'StoreError', code: 'failed' })
      reader.close()
      assert.deepEqual(await finish(store, begun), { number: 2 })
      assert.equal(synced.length, 1)
    })

    test('close() waits for it', async () => {
      const ending = finish(store, await begin(store))
      await untilSyncing(1)
      let isClosed = false
      const closing = store.close().then(() => (isClosed = true))
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(isClosed, false)
      synced[0]!(null)
      await Promise.all([ending, closing])
      store = sqliteStore(path)
    })
  })

  test('finds the log of a link, a relative path and a file: URL; a database in memory has none', async () => {
    const link = join(folder, 'link.db')
    symlinkSync(path, link)
    for (const [place, expected] of [
      [link, 1],
      [relative(process.cwd(), path), 1],
      [pathToFileURL(path).href, 1],
      [':memory:', 0],
    ] as const) {
      if (place.startsWith('file:') && !opensUrls(place)) continue
      const other = sqliteStore(place)
      let syncs = 0
      onSync(() => void syncs++)
      await other.create({ id: place, title: null, settings: '{}', at: 1 })
      await finish(other, await begin(other, place))
      await other.close()
      assert.equal(syncs, expected, place)
    }
  })

  test('a process that is killed before it loses no reply that was committed, and stores none twice', async () => {
    const { signal } = spawnSync(process.execPath, [
      ...process.execArgv.filter((option) => !option.startsWith('--test')),
      '--conditions=@colloquy/source',
      '--no-warnings',
      import.meta.filename,
      path,
    ])
    assert.equal(signal, 'SIGKILL')
    assert.deepEqual(stored(), [[2, 'committed', reply]])
    assert.deepEqual((await store.open('one'))?.unfinished, [])
  })
}

async function dieBeforeSync(path: string): Promise<void> {
  const store = sqliteStore(path)
  const begun = await begin(store)
  onSync(() => process.kill(process.pid, 'SIGKILL'))
  await finish(store, begun)
}

/** Replaces `fdatasync()` for the store, on this thread and on another; undefined restores it. */
function onSync(act: (() => void) | undefined): void {
  mock.restoreAll()
  if (act !== undefined) {
    mock.method(fs, 'fdatasyncSync', act)
    mock.method(fs, 'fdatasync', (_: number, done: (error: unknown) => void) => {
      try {
        act()
        setImmediate(done, null)
      } catch (error) {
        setImmediate(done, error)
      }
    })
  }
  syncBuiltinESMExports()
}

/** Whether SQLite takes `file:` URLs here. Node 22.13 does not. */
function opensUrls(url: string): boolean {
  try {
    new DatabaseSync(url).close()
    return true
  } catch {
    return false
  }
}

function diskError(): Error {
  return Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' })
}

async function begin(store: ConversationStore, id = 'one'): Promise<BegunTurn> {
  const messages = [{ role: 'user', json: question }]
  return (await store.begin({ id, version: 1, parent: 0, messages, at: 2 })) as BegunTurn
}

function finish(
  store: ConversationStore,
  { handle }: BegunTurn,
  more: Partial<FinishStep> = {},
): Promise<{ number: number }> {
  const end = { handle, json: reply, received: null, reply: '{}', at: 3 }
  return store.finish({ id: 'one', state: 'committed', ...end, ...more })
}
