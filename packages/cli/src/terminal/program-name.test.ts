import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { nameOf } from './program-name.ts'

test('the program is called npm start -- in a checkout, and colloquy where it is installed', () => {
  const checkout = { npm_lifecycle_event: 'start', npm_package_name: 'colloquy-workspace' }
  assert.equal(nameOf(checkout), 'npm start --')
  assert.equal(nameOf({}), 'colloquy')
  assert.equal(nameOf({ ...checkout, npm_lifecycle_event: 'test' }), 'colloquy')
  assert.equal(nameOf({ ...checkout, npm_package_name: 'mine' }), 'colloquy')
})

test('errors name the program as the user calls it', () => {
  const root = join(import.meta.dirname, '..')
  const fixed = globSync('**/*.ts', { cwd: root }).flatMap((path) => {
    const found = readFileSync(join(root, path), 'utf8').matchAll(
      /Error\(\s*[`'][^`']*\bcolloquy [a-z$].*|(?:Did you mean|Run) colloquy .*/g,
    )
    return path.endsWith('.test.ts') ? [] : [...found].map(([text]) => `${path}: ${text}`)
  })
  assert.deepEqual(fixed, [])
})
