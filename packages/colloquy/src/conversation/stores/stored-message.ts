import { StoreError } from '../errors.ts'
import { isUnfinished } from '../history/tree.ts'
import { crc32 } from './crc32.ts'
import type { MessageRecord, MessageState } from './store.ts'

/** A message as the database returns it. */
export interface MessageRow extends MessageRecord {
  /** The checksum of the content. Null if an early version wrote the row, or if the reply has not ended. */
  checksum: number | null
  /** The checksum of the other columns. Null if an earlier version wrote the row. */
  placeChecksum: number | null
}

type Content = Pick<MessageRecord, 'state' | 'json' | 'received' | 'reply'>

/** The checksum of the content of a message that is complete, as a 32-bit integer. */
export function checksumOf({ state, json, received, reply }: Content): number {
  return crc32(`${state} ${received?.length} ${reply?.length}${json}${received ?? ''}${reply ?? ''}`) | 0
}

/** The parts of a message that are known when a turn begins, and never change. */
type Place = Pick<MessageRecord, 'number' | 'parent' | 'role' | 'createdAt'>

/** The checksum of the place of a message, as a 32-bit integer. */
export function placeChecksum(conversationId: string, place: Place): number {
  return originChecksum(conversationId, place) ^ mixNumbers(place)
}

/** The part of the checksum of a place that is known before the message has a number. */
export function originChecksum(conversationId: string, { role, createdAt }: Pick<Place, 'role' | 'createdAt'>): number {
  return crc32(`${conversationId} ${role} ${createdAt}`) | 0
}

/** Large odd factors, so that another number or another parent always gives another checksum. */
const placeFactors = { number: 2_654_435_761, parent: 2_246_822_519 } as const

/** 31 bits, because PostgreSQL has no unsigned integers. */
function mixNumbers({ number, parent }: Pick<Place, 'number' | 'parent'>): number {
  return (Math.imul(number, placeFactors.number) ^ Math.imul(parent, placeFactors.parent)) & 0x7fffffff
}

/** `placeChecksum()` as an expression of PostgreSQL, which assigns the numbers. @param origin that of `originChecksum()`. */
export function placeSql(origin: string, number: string, parent: string): string {
  const mixed = `((${number}::bigint * ${placeFactors.number}) # (${parent}::bigint * ${placeFactors.parent})) & 2147483647`
  return `${origin} # (${mixed})::integer`
}

/** The settings, or an empty text if they are damaged. @param checksum null if an earlier version wrote them. */
export function intactSettings(json: string, checksum: number | null): string {
  if (typeof json !== 'string') return ''
  const isIntact = checksum === null ? parsed(json) !== undefined : checksum === (crc32(json) | 0)
  return isIntact ? json : ''
}

/**
 * A message that was read from a database. Its checksum is verified when its content is first read: verifying thousands
 * when a conversation is opened would take as long as opening it. A damaged message throws a `StoreError` then.
 */
export class StoredMessage implements MessageRecord {
  readonly number: number
  readonly parent: number
  readonly role: string
  readonly state: MessageState
  readonly createdAt: number
  readonly #row: MessageRow
  readonly #conversationId: string
  readonly #isMisplaced: boolean
  #isVerified = false

  /** @param follows the number of the message before it on the path, if it is known. */
  constructor(conversationId: string, row: MessageRow, { follows = row.parent }: { follows?: number } = {}) {
    this.number = row.number
    this.parent = row.parent
    this.role = row.role
    this.state = row.state
    this.createdAt = row.createdAt
    this.#row = row
    this.#conversationId = conversationId
    this.#isMisplaced = row.parent !== follows
  }

  get json(): string {
    return this.#verified.json
  }

  get received(): string | null {
    return this.#verified.received
  }

  get reply(): string | null {
    return this.#verified.reply
  }

  get #verified(): MessageRow {
    if (!this.#isVerified) {
      if (this.#isMisplaced || isMoved(this.#conversationId, this.#row) || isDamaged(this.#row)) {
        throw new StoreError(
          'damaged',
          `Cannot read message ${this.number} of conversation ${this.#conversationId}: it is damaged`,
        )
      }
      this.#isVerified = true
    }
    return this.#row
  }
}

/** The messages of a path. One that does not follow the message before it is damaged. */
export function storedPath(conversationId: string, rows: readonly MessageRow[]): StoredMessage[] {
  return rows.map((row, index) => {
    return new StoredMessage(conversationId, row, { follows: index === 0 ? 0 : rows[index - 1]!.number })
  })
}

/**
 * The number of the last row of a page, after which the next page begins. Throws a `StoreError` if the numbers do not rise:
 * with a damaged index, reading page after page would never end.
 */
export function endOfPage(conversationId: string, rows: readonly { number: number }[], previous: number): number {
  let last = previous
  for (const { number } of rows) {
    if (number <= last) {
      throw new StoreError('damaged', `Cannot read conversation ${conversationId}: its messages are out of order`)
    }
    last = number
  }
  return last
}

function isMoved(conversationId: string, row: MessageRow): boolean {
  return row.placeChecksum !== null && row.placeChecksum !== placeChecksum(conversationId, row)
}

function isDamaged(row: MessageRow): boolean {
  if (!hasText(row)) return true
  if (row.checksum !== null) return row.checksum !== checksumOf(row)
  if (row.placeChecksum !== null) return !isUnfinished(row.state)
  // A row of an early version: damage is found if it breaks the JSON.
  return !isMessage(row.json) || !(row.received === null || isMessage(row.received)) || !isObject(row.reply ?? '{}')
}

/** Whether the content is text: SQLite keeps the type of a value beside it, which can be damaged too. */
function hasText({ json, received, reply }: MessageRow): boolean {
  return [json, received ?? '', reply ?? ''].every((value) => typeof value === 'string')
}

function isMessage(json: string): boolean {
  if (json === '') return true
  const { role, content } = parsed(json) ?? {}
  return typeof role === 'string' && (typeof content === 'string' || Array.isArray(content))
}

function isObject(json: string): boolean {
  return parsed(json) !== undefined
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
