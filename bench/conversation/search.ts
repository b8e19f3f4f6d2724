import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversationStore } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { type Row, table, verdict } from '../client/table.ts'
import { median } from '../run.ts'
import { settings } from './contestant.ts'
import { commonWord, prose } from './prose.ts'

const messages = 100_000
const conversations = 100

/** The first search after 100,000 messages, later ones, and the size of the index. */
export async function* report(): AsyncGenerator<string> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'))
  const path = join(folder, 'search.db')
  const store = sqliteStore(path)
  try {
    await fill(store)
    const before = statSync(path).size
    const first = await watched(() => store.search([commonWord(0)], { limit: 20 }))
    const rows: Row[] = [
      row('the first search: event loop blocked at most', first.blockedMs, 50),
      row('… of which CPU time at most', first.blockedCpuMs),
      row('the first search in all', first.wallMs),
    ]
    for (const [name, words] of Object.entries(searches)) {
      const times = []
      for (let run = 0; run < 15; run++) times.push((await watched(() => store.search(words, { limit: 20 }))).wallMs)
      rows.push(row(name, median(times), 5))
    }
    const factor = statSync(path).size / before
    const size = `${factor.toFixed(2)} ×`
    rows.push({ name: 'the file with the index', figures: [size], verdict: verdict('≤ 2 ×', factor <= 2) })
    yield table(`search in ${messages.toLocaleString('en')} messages`, rows)
  } finally {
    await store.close()
    rmSync(folder, { recursive: true })
  }
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
  const each = messages / conversations
  for (let index = 0; index < conversations; index++) {
    const added = Array.from({ length: each }, (_, place) => ({
      number: place + 1,
      parent: place,
      role: place % 2 === 0 ? 'user' : 'assistant',
      state: 'committed' as const,
      createdAt: index * each + place,
      json: JSON.stringify({ role: place % 2 === 0 ? 'user' : 'assistant', content: textOf(index * each + place) }),
      received: null,
      reply: null,
    }))
    await store.create({
      id: String(index),
      title: null,
      settings: JSON.stringify(settings),
      at: index,
      messages: added,
      head: each,
    })
  }
}

/** About 300 characters; one in ten thousand has a rare word. */
function textOf(seed: number): string {
  return seed % (messages / 10) === 17 ? `${prose(seed, 45)} xylophone` : prose(seed, 45)
}

/** Runs work, and watches for how long the event loop is blocked at a time. */
async function watched(work: () => Promise<unknown>): Promise<Watched> {
  const start = performance.now()
  let [blockedMs, blockedCpuMs] = [0, 0]
  let [last, lastCpuMs] = [start, cpuMs()]
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
  const wallMs = performance.now() - start
  isOver = true
  await watching
  return { wallMs, blockedMs, blockedCpuMs }
}

interface Watched {
  wallMs: number
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
