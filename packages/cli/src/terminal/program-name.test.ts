import assert from 'node:assert/strict'
import test from 'node:test'
import { nameOf } from './program-name.ts'

test('the program is called npm start -- in a checkout, and colloquy where it is installed', () => {
  const checkout = { npm_lifecycle_event: 'start', npm_package_name: 'colloquy-workspace' }
  assert.equal(nameOf(checkout), 'npm start --')
  assert.equal(nameOf({}), 'colloquy')
  assert.equal(nameOf({ ...checkout, npm_lifecycle_event: 'test' }), 'colloquy')
  assert.equal(nameOf({ ...checkout, npm_package_name: 'mine' }), 'colloquy')
})
