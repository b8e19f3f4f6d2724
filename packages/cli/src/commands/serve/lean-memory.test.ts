import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import test from 'node:test'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { beginLeanStart, endLeanStart } from './lean-memory.ts'

const MiB = 1024 * 1024

/** The sizes of the young generation: after much of it has survived, after it was shrunk, and after much has survived again. */
async function youngSizes(): Promise<number[]> {
  beginLeanStart()
  endLeanStart()
  const grown = await surviving()
  await globalThis.gc!({ type: 'major', execution: 'async', flavor: 'last-resort' })
  const shrunk = youngBytes()
  await surviving()
  return [grown, shrunk, await surviving()]
}

/** The size of the young generation after a start whose objects have survived, and when the process has rested. */
async function restedSizes(): Promise<number[]> {
  beginLeanStart()
  const grown = await surviving()
  endLeanStart()
  await sleep(20_000)
  return [grown, youngBytes()]
}

/** Keeps many objects. Returns the size of the young generation then. */
async function surviving(): Promise<number> {
  const kept: object[] = []
  for (let round = 0; round < 300; round++) {
    for (let index = 0; index < 5_000; index++) kept.push({ round, index, list: [index] })
    await turn()
  }
  assert.equal(kept.length, 1_500_000)
  return youngBytes()
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')!.space_size
}

/** The same in a process of its own. */
async function youngMiB(measure: string): Promise<number[]> {
  const execArgv = [...process.execArgv.filter(isCondition), '--expose-gc']
  const child = fork(import.meta.filename, [measure], { execArgv })
  const [sizes] = (await once(child, 'message')) as [number[]]
  child.kill()
  return sizes.map((bytes) => Math.round(bytes / MiB))
}

function isCondition(argument: string): boolean {
  return argument.startsWith('--conditions')
}

const isMeasuring = process.send !== undefined && process.argv[2] !== undefined
if (isMeasuring) process.send!(await (process.argv[2] === 'rested' ? restedSizes() : youngSizes()))
else {
  test('the young generation grows to 32 MB and no more, also after V8 has shrunk it', async () => {
    const [grown, shrunk, again] = await youngMiB('young')
    assert.equal(grown, 32)
    assert.ok(shrunk! < 32, `${shrunk} MB`)
    assert.equal(again, 32)
  })
  const skip = process.env['COLLOQUY_LONG'] ? false : 'NOT TESTED: it takes 20 seconds; COLLOQUY_LONG=1 runs it'
  test('a server that rests gives back what its start took', { skip }, async () => {
    const [grown, rested] = await youngMiB('rested')
    assert.ok(grown! >= 16, `${grown} MB`)
    assert.equal(rested, 1)
  })
}
