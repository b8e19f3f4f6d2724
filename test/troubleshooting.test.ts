// Holds docs/troubleshooting.md to the errors that the sources construct.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorTexts } from './error-texts.ts'
import { read } from './source.ts'

/** The messages in the first column of the tables, where `…` stands for any text. */
const messages = [...read('docs/troubleshooting.md').matchAll(/^\| (`.+?`) \| /gm)].flatMap(([, cell]) =>
  [...cell!.matchAll(/``(.+?)``|`([^`]+)`/g)].map(([, double, single]) =>
    (double ?? single!).replaceAll('\\|', '|').trim(),
  ),
)
const texts = errorTexts()
const patterns = messages.map((message) => ({ message, matches: patternOf(message) }))

test('docs/troubleshooting.md has every text of our own errors', () => {
  const missing = texts.filter(({ text }) => !patterns.some(({ matches }) => matches.test(text)))
  assert.deepEqual(
    missing.map(({ file, text }) => `${file}: ${text}`),
    [],
  )
})

/** Messages with words of Node or undici, of the setup of a clone, and one that is written before errors can be. */
const others = [
  'Connection error: cannot reach … (TLS: …)',
  'Connection error: cannot reach … (the dispatcher is of another version of undici…)',
  'colloquy needs Node 22.13 or newer…',
  'Cannot run on Node …, and npm has no Node … for …: install Node 24 or newer',
  'Cannot install what Colloquy needs: npm install ended with …',
  "Cannot find package 'colloquy'…",
  "Cannot find module '@colloquy/server'…",
]

test('each message of docs/troubleshooting.md is one of an error, and not of too many', () => {
  assert.ok(texts.length > 300)
  const wrong = patterns
    .filter(({ message }) => !others.includes(message))
    .map(({ message, matches }) => {
      const found = new Set(texts.map(({ text }) => text).filter((text) => matches.test(text)))
      return { message, count: found.size }
    })
    .filter(({ count }) => count === 0 || count > 14)
  assert.deepEqual(wrong, [])
})

/** A message that is a whole text stands for that text only. */
function patternOf(message: string): RegExp {
  const isWhole = texts.some(({ text }) => text === message)
  const parts = message.split('…').map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'))
  return new RegExp(`^${parts.join(isWhole ? '…' : '[^]*')}$`)
}
