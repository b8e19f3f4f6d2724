import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBody } from '../../request/response.ts'
import { BufferedResponse } from './buffered-response.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function begun(pieces: readonly Uint8Array[] = [], calls: string[] = []): BufferedResponse {
  const source = {
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    destroy: () => void calls.push('destroy'),
  }
  const response = new BufferedResponse({ status: 200, fields: [] }, 'http://localhost/', source)
  for (const piece of pieces) response.push(piece)
  return response
}

function ended(...pieces: Uint8Array[]): BufferedResponse {
  const response = begun(pieces)
  response.end()
  return response
}

test('arrivedText() takes a body that arrived in one piece', async () => {
  const response = ended(bytes('\ufeffnaïve'))
  assert.equal(response.arrivedText(), 'naïve')
  assert.equal(response.arrivedText(), undefined)
  assert.equal(await response.read(), undefined)
  assert.equal(ended().arrivedText(), '')
})

test('arrivedText() leaves every other body to its readers', async () => {
  const unfinished = begun([bytes('a')])
  assert.equal(unfinished.arrivedText(), undefined)
  unfinished.end()
  assert.equal(await readBody(unfinished), 'a')

  const inPieces = ended(bytes('a'), bytes('b'))
  assert.equal(inPieces.arrivedText(), undefined)
  assert.equal(await readBody(inPieces), 'ab')

  const lent = ended(bytes('a'))
  const response = lent.response()
  assert.equal(lent.arrivedText(), undefined)
  assert.equal(await response.text(), 'a')

  const broken = begun([bytes('a')])
  broken.fail(new Error('cut'))
  assert.equal(broken.arrivedText(), undefined)
})

test('a response that has ended no longer resumes its source', async () => {
  const calls: string[] = []
  const response = begun([new Uint8Array(300_000)], calls)
  response.end()
  // The connection may serve another response now, and be paused for that one.
  assert.equal((await response.read())?.length, 300_000)
  assert.deepEqual(calls, ['pause'])
})
