import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReceivedBytes } from './received-bytes.ts'

test('received bytes stay the same when the memory of their chunk is used again', () => {
  const received = new ReceivedBytes()
  const memory = Buffer.from('data: 1\n\n')
  received.push(memory)
  memory.fill('x')
  assert.equal(Buffer.from(received.take()).toString(), 'data: 1\n\n')
})

test('received bytes are handed out up to the end of an event, whatever its line ends', () => {
  for (const blank of ['\n\n', '\r\n\r\n', '\r\r', '\n\r\n']) {
    const received = new ReceivedBytes()
    const take = (): string => Buffer.from(received.take()).toString()
    received.push(Buffer.from('data: 1'))
    assert.equal(take(), '')
    received.push(Buffer.from(`${blank}data: 2\n`))
    assert.equal(take(), `data: 1${blank}`)
    received.push(Buffer.from('\nda'))
    assert.equal(take(), 'data: 2\n\n')
    received.clear()
    received.push(Buffer.from('\n\n'))
    assert.equal(take(), '\n\n')
  }
})
