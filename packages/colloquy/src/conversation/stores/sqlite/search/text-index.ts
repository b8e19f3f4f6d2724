import { randomUUID } from 'node:crypto'
import { setImmediate as nextTask } from 'node:timers/promises'
import { searchText } from '../../../history/text.ts'
import type { SqliteConnection } from '../database/connection.ts'
import { isUnfinished } from '../leases.ts'
import { inSlices, type Pausable } from '../../../in-slices.ts'
import { blockSize, intersection, messagesWith, Postings, positionsIn, rowOf, rowsPerBlock } from './postings.ts'

// The index has the postings of blocks of messages: a block is the messages whose ids are equal when divided by its size. It
// has neither the text nor the places, which would take three times as much room, so each message that it finds is read.
// Erasing a message removes the postings of its block, and the next search writes them again.

const doing = 'search the conversations'

const indexing = new WeakMap<SqliteConnection, Promise<void>>()

/**
 * Indexes the blocks that were filled since the last search. Other work runs in between. Searches at one time share the
 * work: a block that is not indexed is read.
 */
export async function indexNewMessages(db: SqliteConnection): Promise<void> {
  const running = indexing.get(db)
  if (running !== undefined) return running
  const started = indexBlocks(db).finally(() => indexing.delete(db))
  indexing.set(db, started)
  await started
}

async function indexBlocks(db: SqliteConnection): Promise<void> {
  await dropPostponed(db)
  for (const block of unindexedBlocks(db)) await indexBlock(db, block)
}

/** The blocks whose postings of one trigram are read by one statement, which takes less than a millisecond. */
const span = 64

/**
 * Yields, for each block from the newest on, the ids of the messages that may have all of the trigrams, in descending order.
 * Without trigrams, and in blocks that are not indexed, these are all messages.
 */
export function* idsWith(db: SqliteConnection, trigrams: readonly number[]): Generator<number[]> {
  let order = trigrams
  for (let last = blockOf(newestId(db)); last >= 0; last -= span) {
    const first = Math.max(0, last - span + 1)
    const rows = order.length === 0 ? [] : db.rows<PostingRow>(readRows, [rowOf(order[0]!), first, last])
    const indexed = new Map(rows.map(({ block, messages }) => [block, messages]))
    let excluding: number | undefined
    for (let block = last; block >= first; block--) {
      const row = indexed.get(block)
      const { ids, excludedBy } = row === undefined ? allIds(db, block) : idsIn(db, { block, row }, order)
      yield ids
      excluding = excludedBy ?? excluding
    }
    // A trigram that few messages have is looked up first.
    if (excluding !== undefined) order = [excluding, ...order.filter((trigram) => trigram !== excluding)]
  }
}

/** Removes the block of each message that is going to be erased from the index. A part of a transaction. */
export function forgetMessages(db: SqliteConnection, which: 'id = ?' | 'conversation = ?', value: number): void {
  const sql = `SELECT DISTINCT id / ${blockSize} AS block FROM message WHERE ${which}`
  for (const { block } of db.rows<{ block: number }>(sql, [value])) dropBlock(db, block)
}

/** Removes the blocks of ids that new messages will get: those after the newest message. A part of a transaction. */
export function forgetFreeIds(db: SqliteConnection): void {
  const sql = 'SELECT block FROM search_block WHERE block >= ?'
  for (const { block } of db.rows<{ block: number }>(sql, [blockOf(newestId(db) + 1)])) dropBlock(db, block)
}

interface PostingRow {
  block: number
  /** Null if no message of the block has a trigram of this row. */
  messages: Uint8Array | null
}

// Blocks that are not indexed have no row.
const readRows = `SELECT block, messages FROM search_block LEFT JOIN search_posting ON id = block * ${rowsPerBlock} + ?
  WHERE block BETWEEN ? AND ? AND run IS NULL`

interface Found {
  ids: number[]
  /** The trigram that excluded the last message, if no message has all of them. */
  excludedBy?: number
}

/** Finds the messages of a block that may have all trigrams. @param row the postings of the first trigram. */
function idsIn(
  db: SqliteConnection,
  { block, row }: { block: number; row: Uint8Array | null },
  trigrams: readonly number[],
): Found {
  let found: Uint8Array | undefined
  for (const [index, trigram] of trigrams.entries()) {
    const messages = index === 0 ? row : db.row<PostingRow>(readRows, [rowOf(trigram), block, block])?.messages
    // The block was dropped since the first row was read.
    if (messages === undefined) return allIds(db, block)
    const having = messages === null ? undefined : messagesWith(trigram, messages)
    found = found === undefined || having === undefined ? having : intersection(found, having)
    if (found === undefined) return { ids: [], excludedBy: trigram }
  }
  return { ids: positionsIn(found!).map((position) => firstOf(block) + position) }
}

function allIds(db: SqliteConnection, block: number): Found {
  const sql = 'SELECT id FROM message WHERE id BETWEEN ? AND ? ORDER BY id DESC'
  return { ids: db.rows<{ id: number }>(sql, [firstOf(block), lastOf(block)]).map(({ id }) => id) }
}

/** The filled blocks that are not indexed, the oldest first. */
function unindexedBlocks(db: SqliteConnection): number[] {
  const indexed = db.rows<{ block: number }>('SELECT block FROM search_block WHERE run IS NULL')
  const isIndexed = new Set(indexed.map(({ block }) => block))
  const filled = Array.from({ length: Math.max(0, blockOf(newestId(db) + 1)) }, (_, block) => block)
  return filled.filter((block) => !isIndexed.has(block))
}

interface IndexedRow {
  role: string
  ended: number
  json: string
}

const readMessage = `SELECT role, NOT ${isUnfinished} AS ended, coalesce(received, json) AS json FROM message WHERE id = ?`

// Another process may have indexed it, or have died while it did.
const beginBlock =
  'INSERT INTO search_block VALUES (?, ?) ON CONFLICT DO UPDATE SET run = excluded.run WHERE run IS NOT NULL'

/** Indexes a block in one transaction, unless one of its messages is erased while they are read. */
async function indexBlock(db: SqliteConnection, block: number): Promise<void> {
  const run = randomUUID()
  const begun = await db.write(doing, () => db.run(beginBlock, [block, run]))
  if (begun.changes === 0) return
  const index = await inSlices(indexOf(db, block))
  await nextTask()
  await db.write(doing, () => writeBlock(db, { block, run }, index))
  await nextTask()
}

interface BlockIndex {
  rows: readonly [row: number, messages: Uint8Array][]
  /** The messages that are left out until their replies have ended. */
  unfinished: readonly number[]
}

function* indexOf(db: SqliteConnection, block: number): Pausable<BlockIndex> {
  const postings = new Postings()
  const unfinished: number[] = []
  for (let id = firstOf(block); id <= lastOf(block); id++) {
    const message = db.row<IndexedRow>(readMessage, [id])
    if (message?.ended === 1) postings.add(id - firstOf(block), textOf(message))
    else if (message !== undefined) unfinished.push(id)
    yield
  }
  return { rows: [...postings.rows()], unfinished }
}

function writeBlock(
  db: SqliteConnection,
  { block, run }: { block: number; run: string },
  { rows, unfinished }: BlockIndex,
): void {
  const endRun = 'UPDATE search_block SET run = ? WHERE block = ? AND run = ?'
  const ended = db.run(endRun, [null, block, run])
  if (ended.changes === 0) return
  for (const [row, messages] of rows) {
    db.run('INSERT INTO search_posting VALUES (?, ?)', [block * rowsPerBlock + row, messages])
  }
  for (const id of unfinished) db.run('INSERT INTO search_later VALUES (?)', [id])
}

/** Removes the blocks that were indexed before one of their replies had ended. */
async function dropPostponed(db: SqliteConnection): Promise<void> {
  const sql = `SELECT DISTINCT id / ${blockSize} AS block FROM message
    WHERE id IN (SELECT message FROM search_later) AND NOT ${isUnfinished}`
  const blocks = db.rows<{ block: number }>(sql)
  for (const { block } of blocks) await db.write(doing, () => dropBlock(db, block))
}

function dropBlock(db: SqliteConnection, block: number): void {
  if (db.run('DELETE FROM search_block WHERE block = ?', [block]).changes === 0) return
  const first = block * rowsPerBlock
  db.run('DELETE FROM search_posting WHERE id BETWEEN ? AND ?', [first, first + rowsPerBlock - 1])
  db.run('DELETE FROM search_later WHERE message BETWEEN ? AND ?', [firstOf(block), lastOf(block)])
}

function newestId(db: SqliteConnection): number {
  return db.row<{ id: number | null }>('SELECT max(id) AS id FROM message')?.id ?? -1
}

function blockOf(id: number): number {
  return Math.floor(id / blockSize)
}

function firstOf(block: number): number {
  return block * blockSize
}

function lastOf(block: number): number {
  return firstOf(block + 1) - 1
}

/** The text of a message in the index. Summaries are not searched. */
function textOf({ role, json }: IndexedRow): string {
  return role === 'summary' ? '' : searchText(json)
}
