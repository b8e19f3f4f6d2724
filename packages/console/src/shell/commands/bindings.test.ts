import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isComposing, keysOf } from './bindings.ts'

const none = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, isComposing: false, keyCode: 0 }
const isMac = /Mac/.test(navigator.platform)
const held = isMac ? { metaKey: true } : { ctrlKey: true }

function pressed(event: Partial<KeyboardEvent>): KeyboardEvent {
  return { ...none, ...event } as KeyboardEvent
}

test('keysOf() names keys by their letter, and by their place if the letter is not Latin', () => {
  const cases: [Partial<KeyboardEvent>, string][] = [
    [{ ...held, code: 'KeyK', key: 'k' }, 'Ctrl+K'],
    // Dvorak: the letter counts.
    [{ ...held, code: 'KeyV', key: 'k' }, 'Ctrl+K'],
    // Russian, Greek and Hebrew.
    [{ ...held, code: 'KeyK', key: 'л' }, 'Ctrl+K'],
    [{ ...held, shiftKey: true, code: 'KeyO', key: 'Ο' }, 'Ctrl+Shift+O'],
    [{ ...held, code: 'KeyB', key: 'נ' }, 'Ctrl+B'],
    [{ ...held, code: 'Period', key: 'ю' }, 'Ctrl+.'],
    [{ ...held, shiftKey: true, code: 'Semicolon', key: 'Ж' }, 'Ctrl+Shift+;'],
    // A French keyboard has this letter in the row of the digits.
    [{ ...held, code: 'Digit2', key: 'é' }, 'Ctrl+É'],
    [{ code: 'Escape', key: 'Escape' }, 'Escape'],
  ]
  for (const [event, expected] of cases) assert.equal(keysOf(pressed(event)), expected)
})

test('isComposing() is true for keys of an input method, in Safari too', () => {
  assert.equal(isComposing(pressed({ key: 'Enter' })), false)
  assert.equal(isComposing(pressed({ key: 'Enter', isComposing: true })), true)
  assert.equal(isComposing(pressed({ key: 'Enter', keyCode: 229 })), true)
})
