import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { beginLeanStart, endLeanStart } from './lean-memory.ts'

const MiB = 1024 * 1024

/** The size of the young generation, after much of it has survived. */
async function youngBytes(): Promise<number> {
  beginLeanStart()
  endLeanStart()
  const kept: object[] = []
  for (let round = 0; round < 300; round++) {
    for (let index = 0; index < 5_000; index++) kept.push({ round, index, list: [index] })
    await turn()
  }
  assert.equal(kept.length, 1_500_000)
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')!.space_size
}

/** The same in a process of its own: what has grown once stays. */
async function youngMiB(): Promise<number> {
  const child = fork(import.meta.filename, ['measure'], { execArgv: process.execArgv.filter(isCondition) })
  const [bytes] = (await once(child, 'message')) as [number]
  child.kill()
  return Math.round(bytes / MiB)
}

function isCondition(argument: string): boolean {
  return argument.startsWith('--conditions')
}

if (process.send && process.argv[2]) process.send(await youngBytes())
else
  test('the young generation stays at 32 MB when many objects survive', async () => {
    // Without a limit there are 64 MB.
    assert.equal(await youngMiB(), 32)
  })
