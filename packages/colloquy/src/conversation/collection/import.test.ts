import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Archive } from '../history/records.ts'
import { newRecord } from '../history/records.ts'
import { importedId } from './import.ts'

function archiveOf(texts: readonly string[]): Archive {
  const messages = texts.map((json, index) =>
    newRecord({ number: index + 1, parent: index, role: 'user', createdAt: Date.now(), json }),
  )
  return { settings: { model: 'm', max_tokens: 1 }, messages, head: texts.length }
}

test('importedId() hashes a long conversation in parts, between which other work runs', async (t) => {
  const digest = t.mock.method(crypto.subtle, 'digest')
  const id = await importedId(archiveOf(Array.from({ length: 30 }, () => 'word '.repeat(20_000))), new Map())
  assert.match(id, /^[0-9a-z]{26}$/)
  const lengths = digest.mock.calls.map(({ arguments: [, data] }) => (data as Uint8Array).length)
  assert.ok(lengths.length > 5 && Math.max(...lengths) < 700_000, String(lengths))
})

test('importedId() is that of the content, wherever the texts of messages end', async () => {
  const idOf = (texts: readonly string[]): Promise<string> => importedId(archiveOf(texts), new Map())
  const long = 'a'.repeat(600_000)
  const ids = await Promise.all([['ab', 'c'], ['a', 'bc'], ['abc'], [long, 'b'], [long, 'c'], [`${long}b`]].map(idOf))
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(await idOf(['ab', 'c']), ids[0])
})
