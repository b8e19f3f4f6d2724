// The pages of docs/ that a program writes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { variables } from '../scripts/pages/variables.ts'
import { pages } from '../scripts/pages/write.ts'
import { read, sources } from './source.ts'

for (const [name, text] of Object.entries(pages))
  test(`docs/${name} is what npm run docs:pages writes`, async () => {
    assert.equal(read(`docs/${name}`), await text(), 'npm run docs:pages')
  })

test('docs/configuration.md has every variable that the sources read', () => {
  const names = sources.flatMap((file) =>
    [...read(file).matchAll(/'((?:COLLOQUY|ANTHROPIC)_[A-Z_]+)'/g)].map(([, name]) => name!),
  )
  assert.deepEqual([...new Set(names)].toSorted(), variables.map(([name]) => name).toSorted())
})
