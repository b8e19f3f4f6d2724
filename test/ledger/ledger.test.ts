import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DeadInstance, Ledger } from '@colloquy/server/access'
import { openServerStore } from '@colloquy/server/store'
import { startPostgres } from '../postgres-server.ts'

const kills = Math.ceil(Number(process.env['COLLOQUY_KILLS'] ?? 20) / 10)
const program = join(import.meta.dirname, 'settling-program.ts')
const folder = mkdtempSync(join(tmpdir(), 'colloquy-ledger-'))
after(() => rmSync(folder, { recursive: true }))

killTests('SQLite', () => join(folder, 'server.db'))
const postgres = startPostgres()
if (postgres === undefined) {
  test('a killed server on PostgreSQL', { skip: 'NOT TESTED: no PostgreSQL is installed that this user may start' })
} else {
  after(() => postgres.stop())
  killTests('PostgreSQL', () => postgres.url)
}

function killTests(name: string, databaseOf: () => string): void {
  describe(`a killed server on ${name}`, () => {
    test('loses what it settled since the last write but one at most, and its reservation tells what was in flight', async () => {
      const database = databaseOf()
      for (let run = 0; run < kills; run++) await killOne(database, run)
    })
  })
}

async function killOne(database: string, run: number): Promise<void> {
  const child = spawn(process.execPath, ['--conditions=@colloquy/source', program, database, String(run)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  while (mustBeWritten(output).length <= 50) await sleep(10)
  await sleep(Math.random() * 300)
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  await ended

  const store = await openServerStore(database)
  const db = store.database
  const sum = async (sql: string): Promise<bigint> => {
    const [row] = await db.rows<{ sum: number | bigint }>('add up', `SELECT coalesce(sum(${sql}`)
    return BigInt(row!.sum)
  }
  const rows = await db.rows<{ id: string }>('read', `SELECT id FROM %.request WHERE id LIKE 'req_${run}_%'`)
  const written = new Set(rows.map(({ id }) => id))
  const lost = mustBeWritten(output).filter((id) => !written.has(id))
  assert.deepEqual(lost, [])

  const before = await sum('spent), 0) AS sum FROM %.account')
  assert.equal(before, await sum('cost), 0) AS sum FROM %.request'))
  const flights = await sum('1), 0) AS sum FROM %.in_flight')
  const reserved = await sum('reserved), 0) AS sum FROM %.account')
  assert.ok(flights > 0n && reserved >= flights * 10n ** 10n, `${flights} in flight, ${reserved} reserved`)

  const dead: DeadInstance[] = []
  const ledger = new Ledger(db, { leaseMs: 100, flushMs: 20, onLost: (instance) => dead.push(instance) })
  // On a busy machine this process can miss its own sign of life too: it counts as dead, with nothing in flight.
  const found = (): number => dead.reduce((sum, { flights: of }) => sum + of.length, 0)
  while (found() < flights) await sleep(20)
  await ledger.close()
  assert.equal(BigInt(found()), flights)
  assert.equal(await sum('reserved), 0) AS sum FROM %.account'), 0n)
  assert.equal(await sum('spent), 0) AS sum FROM %.account'), before + flights * 10n ** 10n)
  assert.equal(await sum('cost), 0) AS sum FROM %.usage_hour'), await sum('cost), 0) AS sum FROM %.request'))
  await store.close()
}

/** The ids of the requests that the database must have, of what the program wrote until now. */
function mustBeWritten(output: string): string[] {
  const lines = output.split('\n').slice(0, -1)
  const count = lines.findLast((line) => line.startsWith('written '))?.split(' ')[1]
  return lines.filter((line) => line.startsWith('req_')).slice(0, Number(count ?? 0))
}
