import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { median } from '../run.ts'
import { langgraph } from './langgraph.ts'
import type { Outcome, Task } from './worker.ts'

export interface Racer {
  name: string
  /** The file name in `contestants/`. */
  contestant: string
  /** A module that exports the parts of its package in use. */
  entry?: string
}

/** The contestant that the others are compared with. */
export const floor: Racer = { name: 'bare node:sqlite', contestant: 'bare' }
export const store: Racer = { name: 'sqliteStore()', contestant: 'store' }
export const colloquy: Racer = { name: 'a Colloquy conversation', contestant: 'colloquy' }
/** The same with a budget, for which every turn needs its price before it is sent. */
export const budget: Racer = { name: 'the same with a budget', contestant: 'budget' }
/** The same rows written by hand, those of all conversations in common transactions. */
export const grouped: Racer = { name: 'bare node:sqlite, group commit', contestant: 'grouped' }
const array: Racer = { name: 'the array saved whole', contestant: 'array' }

/** V8's slowest compiler takes a part of the first 14,000 turns of a process. */
export const warmUp = 15_000

/** All contestants that can run on this machine. */
export function racers(): Racer[] {
  const peer = langgraph()
  return [floor, store, colloquy, array, ...(peer === undefined ? [] : [peer])]
}

/**
 * Runs each task of each contestant in a process of its own, in turn (A B C, B C A, …), after two rounds that do not
 * count. Returns the medians in the order of the tasks. The CPU time is that of all threads, so it includes garbage
 * collection.
 */
export async function race(
  racing: readonly Racer[],
  tasks: readonly Task[],
  rounds = 7,
): Promise<Map<Racer, Outcome[]>> {
  const runners = await Promise.all(racing.map(start))
  try {
    for (const [place, task] of tasks.entries()) {
      for (let round = -2; round < rounds; round++) {
        for (let turn = 0; turn < runners.length; turn++) {
          const runner = runners[(turn + round + 2) % runners.length]!
          const outcome = await run(runner, task)
          if (outcome !== undefined && round >= 0) (runner.outcomes[place] ??= []).push(outcome)
        }
      }
    }
  } finally {
    for (const { child } of runners) if (child.connected) child.disconnect()
  }
  const whole = runners.filter(({ isOut }) => !isOut)
  return new Map(whole.map(({ racer, outcomes }) => [racer, outcomes.map(middle)]))
}

interface Runner {
  racer: Racer
  child: ChildProcess
  /** The measurements, by the index of the task. */
  outcomes: Outcome[][]
  /** True after a task failed. */
  isOut: boolean
}

/** Takes a contestant that failed out of the race. Its earlier times are not reported. */
async function run(runner: Runner, task: Task): Promise<Outcome | undefined> {
  const { racer, child } = runner
  if (runner.isOut) return undefined
  try {
    child.send(task)
    const outcome = (await answer(child)) as Outcome | { error: string }
    if ('error' in outcome) throw new Error(`${racer.name} failed: ${outcome.error}`)
    return outcome
  } catch (error) {
    if (racer.entry === undefined) throw error
    process.stderr.write(`NOT MEASURED: ${racer.name}, as it breaks down here: ${(error as Error).message}\n`)
    runner.isOut = true
    return undefined
  }
}

function middle(outcomes: readonly Outcome[]): Outcome {
  const bytes = outcomes.map((outcome) => outcome.bytes ?? Number.NaN)
  return {
    cpuMs: median(outcomes.map(({ cpuMs }) => cpuMs)),
    bytes: bytes.some(Number.isNaN) ? undefined : median(bytes),
    wallMs: median(outcomes.map(({ wallMs }) => wallMs)),
  }
}

async function start(racer: Racer): Promise<Runner> {
  const child = fork(new URL('worker.ts', import.meta.url), [racer.contestant, racer.entry ?? ''], {
    execArgv: ['--conditions=@colloquy/source', '--expose-gc', '--no-warnings'],
    // The output of a failing contestant would hide the tables.
    stdio: ['ignore', 'ignore', racer.entry === undefined ? 'inherit' : 'ignore', 'ipc'],
  })
  await answer(child)
  return { racer, child, outcomes: [], isOut: false }
}

async function answer(child: ChildProcess): Promise<unknown> {
  const over = new AbortController()
  try {
    const ended = once(child, 'exit', over).then(([code, signal]) => {
      throw new Error(`The process of a contestant ended with ${code ?? signal}`)
    })
    const [message] = (await Promise.race([once(child, 'message', over), ended])) as unknown[]
    return message
  } finally {
    over.abort()
  }
}
