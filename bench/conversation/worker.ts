// A process for one contestant. It lives as long as the measurement and runs one task for each message.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Kept, Open } from './contestant.ts'

/** The task of a worker, in a conversation with a number of earlier turns; for `crowd`, in many conversations at once. */
export interface Task {
  kind: 'turns' | 'load' | 'show' | 'crowd'
  turns: number
  /** How many turns the process makes before. Default 0: V8 is still compiling then. */
  warmUp?: number
}

export interface Outcome {
  /** The CPU time in ms of one turn, or of loading once. */
  cpuMs: number
  /** Bytes written to the disk, as counted by Linux; undefined on other systems. */
  bytes: number | undefined
  /** The elapsed time in ms, of the same work as the CPU time. */
  wallMs: number
}

/** The time for all turns of a task: a slow contestant runs fewer turns. */
const longestMs = 1_000
/** The time for those before it. */
const longestWarmUpMs = 20_000

const [name, entry] = process.argv.slice(2)
const { open } = (await import(`./contestants/${name}.ts`)) as { open: Open }
const library = (entry ? await import(pathToFileURL(entry).href) : undefined) as never
const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'))
const contestant = await open(folder, library)
let long: Kept | undefined

process.on('message', (task: Task) => {
  measured(task).then(
    (outcome) => process.send!(outcome),
    (error: Error) => process.send!({ error: error.stack ?? error.message }),
  )
})
process.once('disconnect', () => {
  void contestant.close().finally(() => rmSync(folder, { recursive: true }))
})
process.send!('ready')

async function measured({ kind, turns, warmUp = 0 }: Task): Promise<Outcome> {
  await warmedUp(warmUp)
  if (kind === 'crowd') return crowded(turns)
  return kind === 'turns' ? turned(turns) : loaded(kind, turns)
}

/** The turns that were made to warm up. */
let warm = 0

async function warmedUp(turns: number): Promise<void> {
  const deadline = performance.now() + longestWarmUpMs
  while (warm < turns && performance.now() < deadline) {
    warm += await take(await contestant.start(100), 300, deadline - performance.now())
  }
}

/** Limits the growth of a short conversation during the measurement to twice its length. */
async function turned(from: number): Promise<Outcome> {
  const most = Math.min(from, 300)
  const conversations = Math.ceil(300 / most)
  const taken = { cpuMs: 0, bytes: 0, wallMs: 0 }
  let turns = 0
  for (let one = 0; one < conversations; one++) {
    const kept = await contestant.start(from)
    // The first turn reads the earlier ones, which is part of opening. So is the garbage of a long setup, which the
    // following turns collect. A forced collection would also discard compiled code.
    await take(kept, from < 1_000 ? 1 : 100, longestMs / 4)
    const before = spent()
    turns += await take(kept, most, longestMs / conversations)
    const after = spent()
    for (const name of ['cpuMs', 'bytes', 'wallMs'] as const) taken[name] += after[name] - before[name]
  }
  return each(taken, turns)
}

/** Takes a number of turns in each of 200 new conversations, all at once. */
async function crowded(turns: number): Promise<Outcome> {
  const crowd = await Promise.all(Array.from({ length: 200 }, () => contestant.start(0)))
  for (const kept of crowd) await kept.turn()
  const before = spent()
  await Promise.all(
    crowd.map(async (kept) => {
      for (let turn = 0; turn < turns; turn++) await kept.turn()
    }),
  )
  const after = spent()
  const taken = {
    cpuMs: after.cpuMs - before.cpuMs,
    bytes: after.bytes - before.bytes,
    wallMs: after.wallMs - before.wallMs,
  }
  return each(taken, crowd.length * turns)
}

function each({ cpuMs, bytes, wallMs }: Spent, turns: number): Outcome {
  return { cpuMs: cpuMs / turns, bytes: Number.isNaN(bytes) ? undefined : bytes / turns, wallMs: wallMs / turns }
}

/** Runs at least one turn. Returns the number of turns. */
async function take(kept: Kept, most: number, longest: number): Promise<number> {
  const deadline = performance.now() + longest
  let turns = 0
  do {
    await kept.turn()
    turns++
  } while (turns < most && performance.now() < deadline)
  return turns
}

async function loaded(kind: 'load' | 'show', turns: number): Promise<Outcome> {
  long ??= await contestant.start(turns)
  globalThis.gc!()
  const before = spent()
  const messages = await long[kind]!()
  const { cpuMs, wallMs } = spent()
  if (messages !== turns * 2) throw new Error(`Loaded ${messages} messages instead of ${turns * 2}`)
  return { cpuMs: cpuMs - before.cpuMs, bytes: undefined, wallMs: wallMs - before.wallMs }
}

interface Spent {
  cpuMs: number
  bytes: number
  wallMs: number
}

function spent(): Spent {
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1000, bytes: written(), wallMs: performance.now() }
}

function written(): number {
  if (!existsSync('/proc/self/io')) return Number.NaN
  return Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}
