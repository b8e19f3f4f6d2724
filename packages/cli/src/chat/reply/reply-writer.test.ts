import assert from 'node:assert/strict'
import test, { mock } from 'node:test'
import type { MessageStreamEvent } from 'colloquy/protocol'
import { Flags } from '../../flags.ts'
import { replyWriter } from './reply-writer.ts'

const delta: MessageStreamEvent = {
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text: '**Hello** there' },
}

/** The bytes that a reply writes to a terminal of this kind. */
async function writtenTo(term: string): Promise<string> {
  const { TERM } = process.env
  const isTty = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY')
  process.env['TERM'] = term
  Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true })
  let written = ''
  const write = process.stdout.write.bind(process.stdout)
  const writes = mock.method(process.stdout, 'write', (text: string | Uint8Array) => {
    // The reporter of the tests writes bytes.
    if (typeof text !== 'string') return write(text)
    written += text
    return true
  })
  try {
    const writer = await replyWriter(new Flags(new Map()))
    writer.event(delta)
    writer.end()
    return written
  } finally {
    writes.mock.restore()
    process.env['TERM'] = TERM ?? ''
    if (isTty) Object.defineProperty(process.stdout, 'isTTY', isTty)
    else Reflect.deleteProperty(process.stdout, 'isTTY')
  }
}

test('a reply is rendered on a terminal, and plain text on one that knows no sequences', async () => {
  assert.match(await writtenTo('xterm-256color'), /\x1b\[/)
  assert.equal(await writtenTo('dumb'), '**Hello** there\n')
})
