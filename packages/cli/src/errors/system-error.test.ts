import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { systemReason } from './system-error.ts'

test('systemReason() says what is wrong with a file that is a folder, missing or too long for a string', () => {
  const reasonOf = (read: () => unknown): string => {
    try {
      return String(read())
    } catch (error) {
      return systemReason(error)
    }
  }
  // Its pages are never touched.
  const long = Buffer.allocUnsafe(2 ** 29)
  assert.deepEqual(
    [
      reasonOf(() => readFileSync(import.meta.dirname)),
      reasonOf(() => readFileSync(`${import.meta.filename}.none`)),
      reasonOf(() => new TextDecoder().decode(long)),
    ],
    ['it is a folder', 'no such file or folder', 'it has more than 512 MB of text'],
  )
})
