import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { PostgresDatabase } from './postgres-database.ts'
import { postgresPool } from './postgres-pool.ts'

/** ReadyForQuery of PostgreSQL's protocol, and what comes before it: AuthenticationOk, and CommandComplete without a name. */
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])
const welcome = Buffer.concat([Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]), ready])
const answer = Buffer.concat([Buffer.from([0x43, 0, 0, 0, 5, 0]), ready])

test(
  'a database that hangs is out of reach after query_timeout, and can be closed',
  { timeout: 120_000 },
  async (t) => {
    const closed: Promise<unknown>[] = []
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => void socket.write(welcome))
      closed.push(once(socket, 'close'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const pool = postgresPool({ host: '127.0.0.1', port, user: 'u', database: 'd', ssl: false, query_timeout: 100 })
    const db = new PostgresDatabase(pool, { migrations: [], name: 'db' })
    await assert.rejects(db.rows('count', 'SELECT 1'), {
      code: 'cannot_open',
      message: 'Cannot prepare the schema colloquy_server: the database db cannot be reached (ETIMEDOUT)',
    })
    await db.close()
    await Promise.all(closed)
  },
)

test('a query is answered if this process and the database were frozen for longer than query_timeout', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(welcome)
      socket.once('data', () => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
        setTimeout(() => socket.write(answer), 20)
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const pool = postgresPool({ host: '127.0.0.1', port, user: 'u', database: 'd', ssl: false, query_timeout: 300 })
  const client = await pool.connect()
  t.after(async () => {
    client.release(true)
    await pool.end()
  })
  assert.deepEqual((await client.query('SELECT 1')).rows, [])
})
