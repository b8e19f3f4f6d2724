import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { runs } from './sampled.ts'
import { root } from './source.ts'

interface Left {
  /** Streams and other objects that were made. */
  made: number
  /** Those still in memory after a garbage collection. */
  alive: number
  /** Open connections of the server. */
  connections: number
  /** Listeners on the signal that all requests share. */
  listeners: number
}

/** The number of streams that are left in each way. */
const rounds = runs(20, 2)

test('a stream leaves nothing behind in any way of leaving it', async () => {
  const program = join(root, 'test/leaks/program.ts')
  const flags = ['--expose-gc', '--conditions=@colloquy/source', program, String(rounds)]
  const { stdout } = await promisify(execFile)(process.execPath, flags)
  const ways = Object.entries(JSON.parse(stdout) as Record<string, Left>)
  assert.ok(ways.length > 60)
  for (const [way, { made, alive, connections, listeners }] of ways) {
    assert.ok(made >= rounds, way)
    assert.deepEqual([alive, listeners], [0, 0], way)
    // A leak leaves one in each round, but after an abort fetch opens some connections in advance.
    assert.ok(connections <= 5, `${way}: ${connections} connections`)
  }
})
