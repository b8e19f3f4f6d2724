import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { startCpuTime } from '../../../../../test/cpu-time.ts'
import { KeyReader, type Key } from './keys.ts'

/** The keys of the bytes when they arrive in these pieces. */
function read(...pieces: (string | Uint8Array)[]): string[] {
  const keys: string[] = []
  const reader = new KeyReader((key) => keys.push(describe(key)))
  for (const piece of pieces) reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece)
  reader.close()
  return keys
}

function describe({ name, text, ctrl, alt, shift }: Key): string {
  if (name === 'text' || name === 'paste') return `${name}:${text}`
  return `${ctrl ? 'ctrl-' : ''}${alt ? 'alt-' : ''}${shift ? 'shift-' : ''}${name}`
}

test('KeyReader distinguishes Enter from the four keys for a new line', () => {
  assert.deepEqual(read('\r'), ['enter'])
  assert.deepEqual(read('\n'), ['ctrl-j'])
  assert.deepEqual(read('\x1b\r'), ['alt-enter'])
  assert.deepEqual(read('\x1b[13;2u'), ['shift-enter'])
  assert.deepEqual(read('\x1b[27;2;13~'), ['shift-enter'])
})

test('KeyReader reads keys of the Kitty protocol', () => {
  assert.deepEqual(read('\x1b[99;5u', '\x1b[27u', '\x1b[127;3u', '\x1b[9;2u', '\x1b[98;3u'), [
    'ctrl-c',
    'escape',
    'alt-backspace',
    'shift-tab',
    'alt-b',
  ])
  assert.deepEqual(read('\x1b[97:65;2u', '\x1b[97;1:3u', '\x1b[57358u'), ['text:A'])
})

test('KeyReader ignores answers to queries, focus and mouse reports', () => {
  assert.deepEqual(read('\x1b[?62;22c', '\x1b[I', '\x1b[O', '\x1b[<0;3;4M', 'x'), ['text:x'])
})

test('KeyReader reports the answer about the Kitty protocol', () => {
  assert.deepEqual(read('\x1b[?0u'), ['kitty'])
})

test('a bracketed paste is one key with its line breaks', () => {
  assert.deepEqual(read('\x1b[200~one\r\ntwo\rthree\x1b[31m\x1b[201~!'), ['paste:one\ntwo\nthree\x1b[31m', 'text:!'])
})

test('several lines in one read are a paste, also without brackets', () => {
  assert.deepEqual(read('one\rtwo\r'), ['paste:one\ntwo'])
  assert.deepEqual(read('one\r'), ['text:o', 'text:n', 'text:e', 'enter'])
})

test('an escape character alone is the Esc key', async () => {
  const keys: string[] = []
  const reader = new KeyReader((key) => keys.push(describe(key)))
  reader.push(Buffer.from('\x1b\x1b'))
  await sleep(200)
  assert.deepEqual(keys, ['escape', 'escape'])
})

test('KeyReader reads the same keys from any pieces', () => {
  const piece = fc.constantFrom(
    'a',
    'é',
    '漢',
    '👍',
    '\r',
    '\n',
    '\t',
    '\x7f',
    '\x03',
    '\x1b[A',
    '\x1b[1;5D',
    '\x1b[3~',
    '\x1b[13;2u',
    '\x1bOH',
    '\x1b[200~p\rq\x1b[201~',
    '\x1b[99;5u',
    '\x1bb',
    '\x1b[27;2;13~',
    '\x1b[?1u',
    '\x1b[<0;3;4M',
    '\x1f',
    '?',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12, size: 'max' }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      const whole = pieces.flatMap((one) => read(one))
      assert.deepEqual(read(...Array.from(bytes, (byte) => Uint8Array.of(byte))), whole)
    }),
    { numRuns: 300 },
  )
})

/** Collects keys while time passes. */
function reading(): { keys: string[]; push(...pieces: string[]): void; close(): void } {
  const keys: string[] = []
  const reader = new KeyReader((key) => keys.push(describe(key)))
  const push = (...pieces: string[]): void => pieces.forEach((piece) => reader.push(Buffer.from(piece)))
  return { keys, push, close: () => reader.close() }
}

for (const [name, key] of [
  ['Ctrl-C', '\x03'],
  ['Ctrl-D', '\x04'],
] as const) {
  test(`${name} ends a paste that lost its end`, async () => {
    const { keys, push } = reading()
    push('\x1b[200~torn', ' paste')
    await sleep(150)
    push(key)
    assert.deepEqual(keys, ['paste:torn paste', name.toLowerCase()])
  })
}

test('a paste that lost its end is a paste after a pause, and keys work again', async () => {
  const { keys, push } = reading()
  push('\x1b[200~torn\rpaste')
  await sleep(1200)
  push('x', '\r', '\x1b')
  await sleep(100)
  assert.deepEqual(keys, ['paste:torn\npaste', 'text:x', 'enter', 'escape'])
})

test('the rest of a torn paste does not send, with its end mark or without', async () => {
  const { keys, push, close } = reading()
  push('\x1b[200~one\r')
  await sleep(1200)
  push('two\r')
  await sleep(100)
  push('three\r\x1b[201~')
  push('x', '\r')
  close()
  assert.deepEqual(keys, ['paste:one\n', 'paste:two', 'paste:three\n', 'text:x', 'enter'])
})

test('a paste without brackets that arrives in several reads is one paste', async () => {
  const { keys, push } = reading()
  push('one\rtwo\rth', 'ree\rfour', '\r')
  await sleep(100)
  assert.deepEqual(keys, ['paste:one\ntwo\nthree\nfour'])
})

test('a long line in one read is pasted as one, and Enter after it sends', async () => {
  const line = 'word '.repeat(1000).trim()
  for (const pieces of [[`${line}\r`], [line, '\r'], [line.slice(0, 4000), `${line.slice(4000)}\r`]]) {
    const { keys, push, close } = reading()
    push(...pieces)
    await sleep(50)
    close()
    assert.equal(keys.at(-1), 'enter')
    assert.equal(keys.map((key) => key.replace(/^(?:paste|text):|^enter$/, '')).join(''), line)
    assert.ok(keys.length < 200)
  }
})

test('many pastes in one read do not overflow the stack', () => {
  const keys = read('\x1b[200~a\x1b[201~'.repeat(20_000))
  assert.equal(keys.length, 20_000)
})

test('a paste takes time by its length, in any form', () => {
  const forms = [
    (text: string) => `\x1b[200~${text}\x1b[201~`,
    (text: string) => text,
    (text: string) => text.replaceAll('\r', ' '),
    (text: string) => `\x1b[200~${text}`,
  ]
  const line = 'a line of a log that is pasted into the chat, with 日本語\r'
  for (const form of forms) {
    const time = (lines: number): number => {
      const bytes = Buffer.from(form(line.repeat(lines)))
      const cpuTime = startCpuTime()
      read(
        ...Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, i) => bytes.subarray(i * 4096, (i + 1) * 4096)),
      )
      return cpuTime()
    }
    time(1000)
    // 2 MB. By the square of the length it would be minutes.
    assert.ok(time(30_000) < 3000)
  }
})

test('KeyReader reads the keys of consoles on Windows', () => {
  // Node turns the events of the console into these sequences.
  const sequences = ['\x08', '\x7f', '\x1b[1~', '\x1b[4~', '\x1b[3~', '\x1b[1;5D', '\x1b[1;5C', '\x1b[5~', '\x1b[Z']
  assert.deepEqual(read(...sequences), [
    'backspace',
    'backspace',
    'home',
    'end',
    'delete',
    'ctrl-left',
    'ctrl-right',
    'pageup',
    'shift-tab',
  ])
})
