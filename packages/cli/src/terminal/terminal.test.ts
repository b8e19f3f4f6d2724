import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import type { ReadStream, WriteStream } from 'node:tty'
import { setTimeout as sleep } from 'node:timers/promises'
import { Terminal } from './terminal.ts'

function opened(): { input: PassThrough; keys: string[]; written: () => string; terminal: Terminal } {
  const input = Object.assign(new PassThrough(), { setRawMode: () => {} })
  const keys: string[] = []
  let written = ''
  const output = { write: (text: string) => (written += text) }
  // The casts are safe: `Terminal` uses only keys, raw mode and writing.
  const terminal = new Terminal(input as unknown as ReadStream, output as unknown as WriteStream, ({ name, text }) =>
    keys.push(text || name),
  )
  return { input, keys, written: () => written, terminal }
}

test('a line typed before the terminal was opened is sent by its Enter key', async () => {
  const { input, keys, terminal } = opened()
  input.write('hi\n')
  terminal.open()
  await sleep(20)
  input.write('\n')
  await sleep(20)
  assert.deepEqual(keys, ['h', 'i', 'enter', 'j'])
  terminal.close()
})

test('closing the terminal, or the program, restores its modes', async () => {
  const { input, written, terminal } = opened()
  terminal.open()
  input.write('\x1b[?0u')
  await sleep(20)
  terminal.close()
  assert.equal(written(), '\x1b[?2004h\x1b[?u\x1b[>1u\x1b[<u\x1b[?2004l')
  const listeners = process.listenerCount('exit')
  terminal.open()
  assert.equal(process.listenerCount('exit'), listeners + 1)
  terminal.close()
  assert.equal(process.listenerCount('exit'), listeners)
})
