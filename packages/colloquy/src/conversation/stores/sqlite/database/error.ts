import type { DatabaseSync } from 'node:sqlite'
import { AnthropicError } from '../../../../protocol/types/error.ts'
import { StoreError, type StoreErrorCode } from '../../../errors.ts'

// Primary result codes of https://www.sqlite.org/rescode.html; the extended ones carry them in their low byte.
const codes = new Map<number, [StoreErrorCode, string]>([
  [5, ['locked', 'another process holds its lock']],
  [6, ['locked', 'another connection holds its lock']],
  [8, ['read_only', 'it is read-only']],
  [10, ['failed', 'the disk failed to read or write']],
  [11, ['damaged', 'it is damaged']],
  [13, ['full', 'the disk is full']],
  [14, ['cannot_open', 'the file cannot be opened; it must be readable, and its folder must exist and be writable']],
  [23, ['read_only', 'it may not be written']],
  [26, ['damaged', 'the file is not a SQLite database']],
])

// The messages of sqlite3_errstr() for the same codes: Deno gives no code when it opens a file or runs a script.
const words: readonly [RegExp, number][] = [
  [/^database is locked/, 5],
  [/^database table is locked/, 6],
  [/^attempt to write a readonly database/, 8],
  [/^disk I\/O error/, 10],
  [/^database disk image is malformed/, 11],
  [/^database or disk is full/, 13],
  [/^unable to open database file/, 14],
  [/^file is not a database/, 26],
]

/** The same for errors of the file system, by their names. */
const systemErrors = new Map([
  ['EIO', 10],
  ['ENOSPC', 13],
  ['EDQUOT', 13],
])

/** The files of a database were deleted, moved or replaced while it was open. */
export class FilesReplacedError extends Error {}

/**
 * Turns an error of SQLite or of the file system into a `StoreError` that says what it means for the store. Other errors are
 * returned unchanged.
 *
 * @param doing the end of the error message "Cannot …".
 */
export function storeError(error: unknown, doing: string): unknown {
  if (error instanceof AnthropicError || !(error instanceof Error)) return error
  if (error instanceof FilesReplacedError) {
    return new StoreError('cannot_open', `Cannot ${doing}: its files were deleted, moved or replaced while it was open`)
  }
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  if (code === 'ERR_INVALID_STATE') {
    return new StoreError('closed', `Cannot ${doing}: the store is closed`, { cause: error })
  }
  if (code !== 'ERR_SQLITE_ERROR' && syscall === undefined) return error
  const [storeCode, found] = codes.get(resultCode(error)) ?? ['failed', error.message]
  return new StoreError(storeCode, `Cannot ${doing}: ${found}`, { cause: error })
}

/** Whether another process holds the lock that SQLite needs. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && resultCode(error) === 5
}

function resultCode(error: Error): number {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  if (typeof errcode === 'number') return errcode & 0xff
  return systemErrors.get(String(code)) ?? words.find(([pattern]) => pattern.test(error.message))?.[1] ?? 0
}

/** Rolls back, unless SQLite has done so by itself, for example after a full disk: Node 22.13 cannot tell. */
export function rollback(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK')
  } catch {}
}
