// A process for one contestant. It lives as long as the measurement and runs one task for each message.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Kept, Open } from './contestant.ts'

/** The task of a worker, in a conversation with a number of earlier turns. */
export interface Task {
  kind: 'turns' | 'load'
  turns: number
}

export interface Outcome {
  /** The CPU time in ms of one turn, or of loading once. */
  cpuMs: number
  /** Bytes written to the disk, as counted by Linux; undefined on other systems. */
  bytes: number | undefined
}

/** The time for all turns of a task: a slow contestant runs fewer turns. */
const longestMs = 1_000

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

async function measured({ kind, turns }: Task): Promise<Outcome> {
  return kind === 'load' ? loaded(turns) : turned(turns)
}

/** Limits the growth of a short conversation during the measurement to twice its length. */
async function turned(from: number): Promise<Outcome> {
  const most = Math.min(from, 300)
  const conversations = Math.ceil(300 / most)
  const taken = { cpuMs: 0, bytes: 0, turns: 0 }
  for (let one = 0; one < conversations; one++) {
    const kept = await contestant.start(from)
    // The first turn reads the earlier ones, which is part of opening. So is the garbage of a long setup, which the
    // following turns collect. A forced collection would also discard compiled code.
    await take(kept, from < 1_000 ? 1 : 100, longestMs / 4)
    const before = spent()
    taken.turns += await take(kept, most, longestMs / conversations)
    const after = spent()
    taken.cpuMs += after.cpuMs - before.cpuMs
    taken.bytes += after.bytes - before.bytes
  }
  const { cpuMs, bytes } = taken
  return { cpuMs: cpuMs / taken.turns, bytes: Number.isNaN(bytes) ? undefined : bytes / taken.turns }
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

async function loaded(turns: number): Promise<Outcome> {
  long ??= await contestant.start(turns)
  globalThis.gc!()
  const before = spent()
  const messages = await long.load()
  const cpuMs = spent().cpuMs - before.cpuMs
  if (messages !== turns * 2) throw new Error(`Loaded ${messages} messages instead of ${turns * 2}`)
  return { cpuMs, bytes: undefined }
}

function spent(): { cpuMs: number; bytes: number } {
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1000, bytes: written() }
}

function written(): number {
  if (!existsSync('/proc/self/io')) return Number.NaN
  return Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}
