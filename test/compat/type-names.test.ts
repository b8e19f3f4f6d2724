import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missingExports, missingPaths, officialExports, officialPaths } from './type-names.ts'

test('every type of Messages on the official Anthropic is at the same place', async () => {
  const paths = officialPaths()
  assert.ok(paths.length > 2000, `only ${paths.length} were found`)
  assert.deepEqual(await missingPaths(paths), [])
})

test('every type of the official modules about Messages is an export of the package', async () => {
  const names = officialExports()
  assert.ok(names.length > 900, `only ${names.length} were found`)
  assert.deepEqual(await missingExports(names), [])
})
