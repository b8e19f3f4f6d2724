import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import type { StoreErrorCode } from '../../../errors.ts'
import { isBusy, storeError } from './error.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-sqlite-error-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const failures: Partial<Record<StoreErrorCode, () => void>> = {
  locked() {
    const path = join(folder, 'locked.db')
    const [first, second] = [new DatabaseSync(path), new DatabaseSync(path)]
    first.exec('BEGIN IMMEDIATE')
    second.exec('PRAGMA busy_timeout = 0')
    second.exec('BEGIN IMMEDIATE')
  },
  read_only() {
    const path = join(folder, 'read-only.db')
    new DatabaseSync(path).exec('CREATE TABLE a (b)')
    new DatabaseSync(path, { readOnly: true }).exec('INSERT INTO a VALUES (1)')
  },
  full() {
    new DatabaseSync(':memory:').exec(
      `PRAGMA max_page_count = 2; CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(99999))`,
    )
  },
  cannot_open() {
    new DatabaseSync(join(folder, 'none', 'talks.db'))
  },
  damaged() {
    const path = join(folder, 'damaged.db')
    writeFileSync(path, 'no database'.repeat(1_000))
    new DatabaseSync(path).exec('SELECT * FROM sqlite_master')
  },
}

for (const [code, fail] of Object.entries(failures)) {
  test(`storeError() turns an error of SQLite into ${code}, with or without its number`, () => {
    const error = thrownBy(fail)
    assert.equal((storeError(error, 'save') as { code: unknown }).code, code)
    assert.equal(isBusy(error), code === 'locked')
    // Deno throws it like this.
    const withoutNumber = Object.assign(new Error((error as Error).message), { code: 'ERR_SQLITE_ERROR' })
    assert.equal((storeError(withoutNumber, 'save') as { code: unknown }).code, code)
    assert.equal(isBusy(withoutNumber), code === 'locked')
  })
}

function thrownBy(work: () => void): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return assert.fail('nothing was thrown')
}
