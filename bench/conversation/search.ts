import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConversationStore, NewConversation } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { type Row, table, verdict } from '../client/table.ts'
import { median } from '../run.ts'
import { settings } from './contestant.ts'
import { createOldFile, hasOldIndex } from './old-file.ts'
import { commonWord, prose } from './prose.ts'

const messages = 100_000
const conversations = 100

/**
 * The first search after 100,000 messages, later ones, the size of the index, deleting a long conversation, and the index of
 * an earlier version.
 */
export async function* report(): AsyncGenerator<string> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'))
  const path = join(folder, 'search.db')
  const store = sqliteStore(path)
  try {
    await fill(store)
    const before = statSync(path).size
    const first = await watched(() => store.search([commonWord(0)], { limit: 20 }))
    const rows = blocking('the first search', first)
    for (const [name, words] of Object.entries(searches)) {
      const times = []
      for (let run = 0; run < 15; run++) times.push((await watched(() => store.search(words, { limit: 20 }))).cpuMs)
      rows.push(row(`${name} (CPU)`, median(times), 5))
    }
    const factor = statSync(path).size / before
    const size = `${factor.toFixed(2)} ×`
    rows.push({ name: 'the file with the index', figures: [size], verdict: verdict('≤ 2 ×', factor <= 2) })
    yield table(`search in ${messages.toLocaleString('en')} messages`, rows)
    yield table('a conversation of 10,000 messages', await long(store))
    yield table(`a file of an earlier version with ${messages.toLocaleString('en')} messages`, await old(folder))
  } finally {
    await store.close()
    rmSync(folder, { recursive: true })
  }
}

async function long(store: ConversationStore): Promise<Row[]> {
  const conversation = conversationOf('long', { from: 0, length: 10_000 })
  const created = await watched(() => store.create(conversation))
  await store.search([commonWord(0)], { limit: 20 })
  const deleted = await watched(() => store.delete('long'))
  await store.create(conversation)
  await store.search([commonWord(0)], { limit: 20 })
  const pruned = await watched(() => store.prune('long', 1, 3))
  return [
    ...blocking('to copy or import it', created),
    ...blocking('to delete it from store and index', deleted),
    ...blocking('to erase all of it but two messages', pruned),
  ]
}

/** Opens a file with an FTS5 index, which is then erased in slices. */
async function old(folder: string): Promise<Row[]> {
  const path = join(folder, 'old.db')
  createOldFile(
    path,
    Array.from({ length: messages }, (_, seed) => textOf(seed)),
  )
  const start = cpuMs()
  const store = sqliteStore(path)
  const openedMs = cpuMs() - start
  const erased = await watched(async () => {
    while (hasOldIndex(path)) await sleep(100)
  })
  await store.close()
  return [row('to open it (CPU)', openedMs, 50), ...blocking('to erase its FTS5 index', erased)]
}

function blocking(name: string, { blockedMs, blockedCpuMs, wallMs }: Watched): Row[] {
  return [
    row(`${name}: event loop blocked at most`, blockedMs, 50),
    row('… of which CPU time at most', blockedCpuMs),
    row('… in all', wallMs),
  ]
}

const searches: Record<string, string[]> = {
  'a word in every second message': [commonWord(0)],
  'two common words': [commonWord(1), commonWord(2)],
  'a part of a word': [commonWord(3).slice(1, 4)],
  'a word of two characters': ['of'],
  'a word in ten messages': ['xylophone'],
  'a word that is nowhere': ['zzyzx'],
}

async function fill(store: ConversationStore): Promise<void> {
  const length = messages / conversations
  for (let index = 0; index < conversations; index++) {
    await store.create(conversationOf(String(index), { from: index * length, length }))
  }
}

function conversationOf(id: string, { from, length }: { from: number; length: number }): NewConversation {
  const added = Array.from({ length }, (_, place) => {
    const role = place % 2 === 0 ? 'user' : 'assistant'
    const json = JSON.stringify({ role, content: textOf(from + place) })
    const state = 'committed' as const
    return { number: place + 1, parent: place, role, state, createdAt: from + place, json, received: null, reply: null }
  })
  return { id, title: null, settings: JSON.stringify(settings), at: from, messages: added, head: length }
}

/** About 300 characters; one in ten thousand has a rare word. */
function textOf(seed: number): string {
  return seed % (messages / 10) === 17 ? `${prose(seed, 45)} xylophone` : prose(seed, 45)
}

/** Runs work, and watches for how long the event loop is blocked at a time. */
async function watched(work: () => Promise<unknown>): Promise<Watched> {
  const start = performance.now()
  const startCpuMs = cpuMs()
  let [blockedMs, blockedCpuMs] = [0, 0]
  let [last, lastCpuMs] = [start, startCpuMs]
  let isOver = false
  const watching = new Promise<void>((resolve) => {
    const look = (): void => {
      const [now, nowCpuMs] = [performance.now(), cpuMs()]
      blockedMs = Math.max(blockedMs, now - last)
      blockedCpuMs = Math.max(blockedCpuMs, nowCpuMs - lastCpuMs)
      ;[last, lastCpuMs] = [now, nowCpuMs]
      if (isOver) resolve()
      else setImmediate(look)
    }
    setImmediate(look)
  })
  await work()
  const found = { wallMs: performance.now() - start, cpuMs: cpuMs() - startCpuMs }
  isOver = true
  await watching
  return { ...found, blockedMs, blockedCpuMs }
}

interface Watched {
  wallMs: number
  cpuMs: number
  /** The longest time between two tasks of the event loop. It includes waiting for the disk and for the processor. */
  blockedMs: number
  blockedCpuMs: number
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function row(name: string, ms: number, target?: number): Row {
  const figures = [`${ms.toFixed(1)} ms`]
  return target === undefined ? { name, figures } : { name, figures, verdict: verdict(`≤ ${target} ms`, ms <= target) }
}
