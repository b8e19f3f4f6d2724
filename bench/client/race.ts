import { type ChildProcess, fork } from 'node:child_process'
import { median } from '../run.ts'
import type { Package } from './packages.ts'
import type { Address } from './address.ts'
import type { Outcome, Task } from './worker.ts'

export interface Race {
  contestants: readonly Package[]
  address: Address
  /** The path of the base URL; the address has the origin. */
  task: Omit<Task, 'url'> & { path: string; secure?: boolean }
  /** The number of rounds that count. Default 7. */
  rounds?: number
}

/** The median of a contestant's CPU time in ms; undefined if a run took longer than `longestRunMs`. */
export type Times = Map<Package, number | undefined>

/** A contestant that takes longer for one run is stopped, because the others wait for it. */
export const longestRunMs = 10_000

/**
 * Runs each contestant's task in a process of its own, in turn (A B C, B C A, …), after two rounds that do not count.
 * The CPU time is that of all threads of the process, so it includes garbage collection. All results must be equal.
 */
export async function race({ contestants, address, task, rounds = 7 }: Race): Promise<Times> {
  const { path, secure, ...rest } = task
  const told: Task = { ...rest, url: `${secure ? address.https : address.http}/${path}` }
  const runners = await Promise.all(contestants.map((contestant) => Runner.start(contestant, address)))
  try {
    for (let round = -2; round < rounds; round++) {
      for (let turn = 0; turn < runners.length; turn++) {
        const runner = runners[(turn + round + 2) % runners.length]!
        const cpuMs = await runner.run(told)
        if (cpuMs !== undefined && round >= 0) runner.times.push(cpuMs)
      }
      checkSame(runners)
    }
  } finally {
    for (const runner of runners) runner.stop()
  }
  return new Map(runners.map(({ contestant, isCut, times }) => [contestant, isCut ? undefined : median(times)]))
}

function checkSame(runners: readonly Runner[]): void {
  const [first, ...others] = runners.filter(({ isCut }) => !isCut)
  for (const { contestant, value } of others) {
    if (value === first!.value) continue
    throw new Error(
      `${contestant.name} did other work: ${value} instead of ${first!.value} of ${first!.contestant.name}`,
    )
  }
}

class Runner {
  readonly contestant: Package
  readonly times: number[] = []
  /** The result of the last run, as JSON. */
  value: string | undefined
  isCut = false
  readonly #child: ChildProcess

  private constructor(contestant: Package, child: ChildProcess) {
    this.contestant = contestant
    this.#child = child
  }

  static async start(contestant: Package, { certificateFile }: Address): Promise<Runner> {
    const child = fork(new URL('worker.ts', import.meta.url), [contestant.contestant, contestant.entry ?? ''], {
      // Drop the condition that resolves our packages to their sources.
      execArgv: ['--expose-gc'],
      env: { ...withoutProxies(), NODE_EXTRA_CA_CERTS: certificateFile },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    await answer(child)
    return new Runner(contestant, child)
  }

  /** The CPU time of one run in ms; undefined after a run that took too long. */
  async run(task: Task): Promise<number | undefined> {
    if (this.isCut) return undefined
    const timer = setTimeout(() => {
      this.isCut = true
      this.#child.kill('SIGKILL')
    }, longestRunMs)
    try {
      this.#child.send(task)
      const outcome = (await answer(this.#child)) as Outcome | { error: string }
      if ('error' in outcome) throw new Error(`${this.contestant.name} failed: ${outcome.error}`)
      this.value = JSON.stringify(outcome.value)
      return outcome.cpuMs
    } catch (error) {
      if (this.isCut) return undefined
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  stop(): void {
    this.#child.kill()
  }
}

async function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => {
      child.off('exit', exited)
      resolve(message)
    })
    const exited = (code: number | null, signal: string | null): void => {
      reject(new Error(`The process of a contestant ended with ${code ?? signal}`))
    }
    child.once('exit', exited)
  })
}

function withoutProxies(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)))
}
