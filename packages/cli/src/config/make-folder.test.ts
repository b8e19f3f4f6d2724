import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeFolder } from './make-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
after(() => rmSync(folder, { recursive: true }))

test('makeFolder() creates all missing folders with the mode', () => {
  const path = join(folder, 'a', 'b', 'c')
  makeFolder(path, { mode: 0o700 })
  makeFolder(path, { mode: 0o700 })
  if (process.platform !== 'win32') assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o700)
  assert.ok(statSync(path).isDirectory())
  makeFolder(join(folder, 'plain'))
})

test('makeFolder() throws the error of the system, also where no folder can be created', () => {
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => makeFolder(join(folder, 'file', 'below')), { code: 'ENOTDIR' })
  if (process.platform === 'linux') assert.throws(() => makeFolder('/proc/nope/below'), { code: 'ENOENT' })
})
