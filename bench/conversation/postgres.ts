import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openConversations } from 'colloquy/conversation'
import { postgresStore } from 'colloquy/conversation/postgres'
import type { MessageStreamEvent } from 'colloquy/protocol'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../../test/postgres-server.ts'
import { type Row, table, verdict } from '../client/table.ts'
import { events, settings, usage } from './contestant.ts'
import { prose } from './prose.ts'

const connections = 10
const conversations = 40
const turns = 25

/** The cost of a turn to a PostgreSQL server: log, CPU time, and turns a second on ten connections. */
export async function* report(): AsyncGenerator<string> {
  const server = startPostgres()
  if (server === undefined) {
    process.stderr.write('NOT MEASURED: PostgreSQL, as it is not installed or may not be started here\n')
    return
  }
  const pool = new pg.Pool({ host: server.host, user: 'postgres', max: connections })
  try {
    const byHand = await measure(server, pool, await startBare(pool))
    const ours = await measure(server, pool, await startColloquy(pool))
    const rows = [row('two statements by hand', byHand), row('a Colloquy conversation', ours)]
    const { walBytes, cpuMs, rate } = ours
    rows[1]!.verdict = verdict('≤ 8 kB, ≤ 0.7 ms, ≥ 1,500 a second', walBytes <= 8_000 && cpuMs <= 0.7 && rate >= 1_500)
    yield table(`a turn of 2 KB in PostgreSQL, ${conversations} conversations on ${connections} connections`, rows)
  } finally {
    await pool.end()
    server.stop()
  }
}

type Talk = () => Promise<unknown>

interface Cost {
  walBytes: number
  /** The CPU time of the server's processes. */
  cpuMs: number
  /** Turns a second. */
  rate: number
}

async function measure(server: PostgresServer, pool: pg.Pool, talks: readonly Talk[]): Promise<Cost> {
  await take(talks, 5)
  // Otherwise the first change of each page after a checkpoint is logged whole, at some moment during the measurement.
  await pool.query('CHECKPOINT')
  await take(talks, 5)
  const [wal, cpu, start] = [await walEnd(pool), serverCpuMs(server), performance.now()]
  await take(talks, turns)
  const [wallMs, count] = [performance.now() - start, talks.length * turns]
  return {
    walBytes: ((await walEnd(pool)) - wal) / count,
    cpuMs: (serverCpuMs(server) - cpu) / count,
    rate: (count / wallMs) * 1000,
  }
}

async function take(talks: readonly Talk[], count: number): Promise<void> {
  await Promise.all(
    talks.map(async (talk) => {
      for (let turn = 0; turn < count; turn++) await talk()
    }),
  )
}

async function startColloquy(pool: pg.Pool): Promise<Talk[]> {
  const opened = openConversations({ engine, store: postgresStore(pool, { prepare: true }) })
  const talks = Array.from({ length: conversations }, () => opened.create(settings))
  return (await Promise.all(talks)).map((conversation) => () => conversation.send(newText()))
}

async function* engine(): AsyncGenerator<MessageStreamEvent> {
  for (const event of events) {
    const isText = event.type === 'content_block_delta' && event.delta.type === 'text_delta'
    yield isText ? { ...event, delta: { type: 'text_delta', text: newText() } } : event
  }
}

let texts = 0

/** A kilobyte of words: an index of one text that is repeated would be too small. */
function newText(): string {
  return prose(texts++, 130)
}

/** The same rows by hand: named statements, one for the question and one for the reply. */
async function startBare(pool: pg.Pool): Promise<Talk[]> {
  await pool.query(`
    CREATE TABLE conversation (id int PRIMARY KEY, version int NOT NULL, head int NOT NULL);
    CREATE TABLE message (conversation int, number int, parent int, role text, at bigint, reply text, json text,
      PRIMARY KEY (conversation, number))`)
  await pool.query('INSERT INTO conversation SELECT id, 0, 0 FROM generate_series(1, $1) AS id', [conversations])
  const text = `WITH moved AS (
      UPDATE conversation SET version = version + 1, head = head + 1 WHERE id = $1 AND version = $2 RETURNING id, head
    ) INSERT INTO message SELECT id, head, head - 1, $3, $4, $5, $6 FROM moved`
  return Array.from({ length: conversations }, (_, index) => {
    let version = 0
    const add = (message: { role: string; content: unknown }, reply: string | null): Promise<unknown> => {
      const values = [index + 1, version++, message.role, Date.now(), reply, JSON.stringify(message)]
      return pool.query({ name: 'add', text, values })
    }
    return async () => {
      await add({ role: 'user', content: newText() }, null)
      await add({ role: 'assistant', content: [{ type: 'text', text: newText() }] }, JSON.stringify(usage))
    }
  })
}

async function walEnd(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query("SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes")
  return Number((rows as { bytes: string }[])[0]!.bytes)
}

/** The CPU time so far of the server's processes; NaN where Linux's /proc is missing. */
function serverCpuMs({ host }: PostgresServer): number {
  const main = readFileSync(join(host, 'data', 'postmaster.pid'), 'utf8').split('\n', 1)[0]!
  let ticks = 0
  try {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const process = statOf(pid)
      if (process.parent === main) ticks += process.ticks
    }
  } catch {
    return Number.NaN
  }
  // A tick is a hundredth of a second on every Linux that Node runs on.
  return ticks * 10
}

function statOf(pid: string): { parent: string; ticks: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name before it may contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { parent: fields[1]!, ticks: Number(fields[11]) + Number(fields[12]) }
  } catch {
    // It has ended.
    return { parent: '', ticks: 0 }
  }
}

function row(name: string, { walBytes, cpuMs, rate }: Cost): Row {
  const figures = [
    `${(walBytes / 1000).toFixed(1)} kB of log`,
    `${cpuMs.toFixed(2)} ms CPU of the server`,
    `${Math.round(rate).toLocaleString('en')} a second`,
  ]
  return { name, figures }
}
