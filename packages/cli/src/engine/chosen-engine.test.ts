import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { type ChosenEngine, chosenEngine, declineModel, hasDeclined, rememberEngine } from './chosen-engine.ts'

test('rememberEngine() says why an engine cannot be remembered, and throws nothing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-chosen-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const engine: ChosenEngine = { kind: 'chat', url: 'http://127.0.0.1:1/v1', model: 'x' }
  const writable = { XDG_DATA_HOME: folder }
  assert.equal(rememberEngine(engine, writable), undefined)
  assert.deepEqual(chosenEngine(writable), engine)
  declineModel(writable)
  assert.equal(hasDeclined(writable), true)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  assert.match(rememberEngine(engine, { XDG_DATA_HOME: file })!, /^Cannot write .*model\.json: .* The next chat looks/)
  declineModel({ XDG_DATA_HOME: file })
})
