// The same bytes go to the parser of the client and to `node:http`. Both must agree on what is a response, on what it says, and
// on what is refused, unless a row of `stricter` says why the client refuses more.
import assert from 'node:assert/strict'
import http, { type IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { ResponseRefusal } from './refusal.ts'
import { ResponseParser } from './response-parser.ts'

/** The reading of a response: refused, or what was read of it. */
type Reading = { refused: string } | { status: number | undefined; fields: string[]; body: string; isComplete: boolean }

const nothing = { status: undefined, fields: [], body: '', isComplete: false }

/** Reads pieces of a response with the parser of the client. The connection ends after them. */
function readByClient(pieces: readonly Buffer[], method = 'POST'): Reading {
  const reading: Exclude<Reading, { refused: string }> = { ...nothing }
  const parser = new ResponseParser(method, {
    onHead({ status, fields }) {
      reading.status = status
      reading.fields = [...fields]
    },
    onBody(bytes) {
      reading.body += Buffer.from(bytes).toString('latin1')
    },
    onEnd() {
      reading.isComplete = true
    },
  })
  try {
    for (const piece of pieces) {
      // In a buffer whose other bytes are from earlier reads.
      const buffer = Buffer.alloc(piece.length + 16, 'x')
      piece.copy(buffer)
      parser.push(buffer, piece.length)
    }
    parser.end()
  } catch (error) {
    if (!(error instanceof ResponseRefusal) && !/status 101/.test(String(error))) throw error
    return { refused: (error as Error).message }
  }
  return reading
}

/** Reads pieces of a response with `node:http`, over a connection in memory. */
async function readByNode(pieces: readonly Buffer[], method = 'POST'): Promise<Reading> {
  const connection = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() })
  const request = http.request({ method, createConnection: () => connection })
  return new Promise((resolve) => {
    let response: IncomingMessage | undefined
    let body = ''
    const read = (): void => {
      if (!response) return resolve(nothing)
      const fields = response.rawHeaders.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text))
      resolve({ status: response.statusCode, fields, body, isComplete: response.complete })
    }
    request.on('response', (incoming) => {
      response = incoming
      incoming.on('data', (data: Buffer) => (body += data.toString('latin1')))
      incoming.on('end', read)
      incoming.on('error', read)
    })
    request.on('upgrade', () => resolve({ refused: 'upgrade' }))
    request.on('error', (error: NodeJS.ErrnoException) => {
      // Wrong bytes after a complete response change nothing about it.
      if (response?.complete) setImmediate(read)
      else if (error.code?.startsWith('HPE_')) resolve({ refused: error.code })
      else read()
    })
    request.on('socket', () =>
      process.nextTick(() => {
        for (const piece of pieces) connection.push(piece)
        connection.push(null)
      }),
    )
    request.end()
  })
}

/** The pieces of some bytes that are cut at some positions. */
function cut(bytes: Buffer, ...positions: number[]): Buffer[] {
  const edges = [0, ...positions, bytes.length]
  return edges.slice(1).flatMap((end, index) => (end > edges[index]! ? [bytes.subarray(edges[index], end)] : []))
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const ok = 'HTTP/1.1 200 OK\r\n'
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`
const hi = '2\r\nhi\r\n0\r\n\r\n'
const sized = 'content-length: 2\r\n\r\nhi'

// Refusals of the client alone

interface StricterRow {
  because: string
  /** Accepted by `node:http`. */
  response: string
  refusal: RegExp
  /** The shape of the responses that this holds for. Default: all that the client refuses with these words. */
  shape?: RegExp
}

const stricter: StricterRow[] = [
  {
    because: 'a server of another version does not speak this protocol',
    response: `HTTP/2.0 200 OK\r\n${sized}`,
    refusal: /instead of an HTTP\/1\.1 status/,
  },
  {
    because: 'a status has three digits, the first of them not 0',
    response: `HTTP/1.1 099 OK\r\n${sized}`,
    refusal: /instead of an HTTP\/1\.1 status/,
  },
  {
    because: 'a status line with control characters is not text',
    response: `HTTP/1.1 200 O\0K\r\n${sized}`,
    refusal: /control character/,
  },
  {
    because: 'LF alone does not end a line',
    response: `\n${ok}${sized}`,
    refusal: /ends without CR/,
    shape: /(?:^|\n)[\r\n]+HTTP\//,
  },
  {
    because: 'CR alone does not end a line',
    response: `\r${ok}${sized}`,
    refusal: /CR without LF/,
    shape: /(?:^|\n)[\r\n]+HTTP\//,
  },
  {
    because: 'a coding that is not undone would be taken for the text of the body',
    response: `${ok}transfer-encoding: gzip, chunked\r\n\r\n${hi}`,
    refusal: /the transfer-encoding/,
  },
  {
    because: 'a body in another coding has no end that tells it from one that was cut',
    response: `${ok}transfer-encoding: identity\r\n\r\nhi`,
    refusal: /the transfer-encoding/,
  },
  {
    because: 'servers and proxies disagree about a coding that is named twice',
    response: `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n${hi}`,
    refusal: /the transfer-encoding/,
  },
  {
    because: 'a larger number than 2 ** 53 is not exact',
    response: `${ok}content-length: 0000000000000002\r\n\r\nhi`,
    refusal: /the content-length/,
  },
  {
    because: 'a larger number than 2 ** 53 is not exact',
    response: `${chunked}00000000000002\r\nhi\r\n0\r\n\r\n`,
    refusal: /the chunk size/,
  },
  {
    because: 'trailers cannot change how the body was read',
    response: `${chunked}2\r\nhi\r\n0\r\ntransfer-encoding: chunked\r\n\r\n`,
    refusal: /among its trailers/,
  },
  {
    because: 'a server could announce a response for ever',
    response: `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(17)}${ok}${sized}`,
    refusal: /more than 16 heads/,
  },
  { because: 'no request asked for another protocol', response: 'HTTP/1.1 101 Other\r\n\r\n', refusal: /status 101/ },
  {
    because: 'the limit of a head counts the ends of its lines too',
    response: `${ok}${'a: b\r\n'.repeat(3000)}${sized}`,
    refusal: /more than 16384 bytes/,
  },
]

for (const [index, { because, response, refusal }] of stricter.entries()) {
  test(`the client refuses more than node:http (${index + 1}): ${because}`, async () => {
    const bytes = bytesOf(response)
    assert.ok(!('refused' in (await readByNode([bytes]))), 'node:http accepts it')
    for (const pieces of [[bytes], cut(bytes, 1, 5, 19), Array.from(bytes, (byte) => Buffer.of(byte))]) {
      const reading = readByClient(pieces)
      assert.match('refused' in reading ? reading.refused : 'accepted', refusal)
    }
  })
}

// Agreement

/** Responses that both accept, and that both refuse. */
const accepted: Record<string, string> = {
  'a length': `${ok}${sized}`,
  'no reason': `HTTP/1.1 200\r\n${sized}`,
  'HTTP/1.0': `HTTP/1.0 200 OK\r\n${sized}`,
  'chunks in HTTP/1.0': `HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${hi}`,
  chunks: `${chunked}2\r\nhi\r\n0003\r\n ho\r\n0\r\n\r\n`,
  extensions: `${chunked}2;a;b=c;d="e; \\"f"\r\nhi\r\n0;last\r\n\r\n`,
  trailers: `${chunked}2\r\nhi\r\n0\r\nA: b\r\nc:\r\n\r\n`,
  'the end of the connection': `${ok}connection: close\r\n\r\nhi`,
  'an empty line before': `\r\n\r\n${ok}${sized}`,
  'informational responses': `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n${ok}${sized}`,
  'no body by its status': 'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n',
  'an empty body': `${ok}content-length: 0\r\n\r\n`,
  'odd values': `${ok}a:\r\nb:  \t c\td \t\r\nE: \xe9\xa0\r\n${sized}`,
  'bytes after the body': `${ok}${sized}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n`,
  'garbage after the body': `${ok}${sized}\r\n\0`,
  'a body that is cut': `${ok}content-length: 3\r\n\r\nhi`,
  'chunks that are cut': `${chunked}2\r\nhi\r\n`,
  'a head that is cut': `${ok}content-le`,
  nothing: '',
}
const refused: Record<string, string> = {
  'LF alone': `HTTP/1.1 200 OK\n${sized}`,
  'CR alone': `${ok}a: b\rc: d\r\n${sized}`,
  'another protocol': '220 smtp.example.com\r\n',
  'two spaces': `HTTP/1.1  200 OK\r\n${sized}`,
  'a status of four digits': `HTTP/1.1 2000 OK\r\n${sized}`,
  'a folded value': `${ok}a: b\r\n c\r\n${sized}`,
  'a folded first line': `${ok} a: b\r\n${sized}`,
  'a space before the colon': `${ok}a : b\r\n${sized}`,
  'no colon': `${ok}abc\r\n${sized}`,
  'no name': `${ok}: b\r\n${sized}`,
  'a control character': `${ok}a: b\x01\r\n${sized}`,
  'two lengths': `${ok}content-length: 2\r\n${sized}`,
  'a list of lengths': `${ok}content-length: 2, 2\r\n\r\nhi`,
  'a signed length': `${ok}content-length: +2\r\n\r\nhi`,
  'an empty length': `${ok}content-length:\r\n\r\nhi`,
  'a length beside chunks': `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n${hi}`,
  'chunks beside a length': `${ok}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n${hi}`,
  'a chunk longer than its size': `${chunked}2\r\nhix0\r\n\r\n`,
  'a chunk without a size': `${chunked}\r\nhi\r\n0\r\n\r\n`,
  'a chunk size after a space': `${chunked} 2\r\nhi\r\n0\r\n\r\n`,
  'a chunk size that is too large': `${chunked}fffffffffffffffff\r\nhi`,
  'LF alone after a size': `${chunked}2\nhi\r\n0\r\n\r\n`,
  'LF alone after a chunk': `${chunked}2\r\nhi\n0\r\n\r\n`,
  'an empty extension': `${chunked}2;\r\nhi\r\n0\r\n\r\n`,
  'a length among the trailers': `${chunked}2\r\nhi\r\n0\r\ncontent-length: 2\r\n\r\n`,
  'a trailer without a colon': `${chunked}2\r\nhi\r\n0\r\nab\r\n\r\n`,
  'a long head': `${ok}a: ${'x'.repeat(17_000)}\r\n${sized}`,
  'a long reason': `HTTP/1.1 200 ${'x'.repeat(17_000)}\r\n${sized}`,
  'long extensions': `${chunked}2;a=${'x'.repeat(17_000)}\r\nhi\r\n0\r\n\r\n`,
  'long trailers': `${chunked}2\r\nhi\r\n0\r\na: ${'x'.repeat(17_000)}\r\n\r\n`,
}

for (const [name, response] of Object.entries(accepted)) {
  test(`client and node:http read the same, cut at every byte: ${name}`, async () => {
    const bytes = bytesOf(response)
    const expected = await readByNode([bytes])
    assert.ok(!('refused' in expected))
    for (let at = 0; at <= bytes.length; at++) assert.deepEqual(readByClient(cut(bytes, at)), expected)
    assert.deepEqual(readByClient(Array.from(bytes, (byte) => Buffer.of(byte))), expected)
  })
}

for (const [name, response] of Object.entries(refused)) {
  test(`client and node:http both refuse, cut at every byte: ${name}`, async () => {
    const bytes = bytesOf(response)
    assert.ok('refused' in (await readByNode([bytes])), 'node:http refuses it')
    // Long texts are all the same in the middle.
    for (let at = 0; at <= bytes.length; at += at > 60 && at < bytes.length - 60 ? 997 : 1) {
      assert.ok('refused' in readByClient(cut(bytes, at)), `cut at ${at}`)
    }
    assert.ok('refused' in readByClient(Array.from(bytes, (byte) => Buffer.of(byte))))
  })
}

for (const response of [`${ok}content-length: 2\r\n\r\n`, chunked]) {
  test(`a response to HEAD has no body: ${response.split('\r\n')[1]}`, async () => {
    const expected = await readByNode([bytesOf(response)], 'HEAD')
    assert.deepEqual(readByClient([bytesOf(response)], 'HEAD'), expected)
    assert.ok(!('refused' in expected) && expected.isComplete)
  })
}

// Generated and mutated

const field = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constantFrom('a', 'Request-Id', "x-!#$%&'*+.^_`|~"),
      fc.constantFrom('', 'b', ' c\td', '\xe9', '"q"'),
    ),
  },
  fc.tuple(fc.constantFrom('Connection'), fc.constantFrom('close', 'keep-alive', 'Keep-Alive, x')),
  fc.tuple(fc.constant('Keep-Alive'), fc.constantFrom('timeout=5', 'timeout=0, max=1', 'x')),
)
const extension = fc.constantFrom('', '', '', ';a', ';a=b', ';a="b c"', ';a="\\""')
const piece = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', '\xff', ':'), minLength: 1, maxLength: 20 })

const body = fc.oneof(
  piece.map((text) => ({ fields: [['Content-Length', String(text.length)]], text })),
  fc
    .tuple(fc.array(fc.tuple(piece, extension)), extension, fc.array(field, { maxLength: 2 }))
    .map(([chunks, last, trailers]) => ({
      fields: [['Transfer-Encoding', 'chunked']],
      text: `${chunks.map(([text, more]) => `${text.length.toString(16)}${more}\r\n${text}\r\n`).join('')}0${last}\r\n${linesOf(trailers)}\r\n`,
    })),
  piece.map((text) => ({ fields: [] as string[][], text })),
)

function linesOf(fields: readonly (readonly string[])[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

const response = fc
  .tuple(
    fc.constantFrom('', '', '', 'HTTP/1.1 100 Continue\r\n\r\n', '\r\n'),
    fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.1 529 ', 'HTTP/1.0 404 Not Found', 'HTTP/1.1 204', 'HTTP/1.1 304 x'),
    fc.array(field, { maxLength: 4 }),
    body,
  )
  .map(
    ([before, status, fields, { fields: framing, text }]) =>
      `${before}${status}\r\n${linesOf([...fields, ...framing])}\r\n${text}`,
  )

const byte = fc.constantFrom(...'\r\n :;,"\\\t0129afgx-+=\0\x7f\x80')
const mutation = fc.oneof(
  fc.tuple(fc.constant('insert' as const), fc.double({ min: 0, max: 1, noNaN: true }), byte),
  fc.tuple(fc.constant('replace' as const), fc.double({ min: 0, max: 1, noNaN: true }), byte),
  fc.tuple(fc.constant('delete' as const), fc.double({ min: 0, max: 1, noNaN: true }), byte),
  fc.tuple(fc.constant('repeat line' as const), fc.double({ min: 0, max: 1, noNaN: true }), byte),
  fc.tuple(fc.constant('truncate' as const), fc.double({ min: 0, max: 1, noNaN: true }), byte),
)

function mutated(text: string, [kind, place, character]: [string, number, string]): string {
  const at = Math.floor(place * text.length)
  if (kind === 'insert') return text.slice(0, at) + character + text.slice(at)
  if (kind === 'replace') return text.slice(0, at) + character + text.slice(at + 1)
  if (kind === 'delete') return text.slice(0, at) + text.slice(at + 1)
  if (kind === 'truncate') return text.slice(0, at)
  const start = text.lastIndexOf('\n', at) + 1
  const end = text.indexOf('\n', at) + 1 || text.length
  return text.slice(0, end) + text.slice(start, end) + text.slice(end)
}

const numRuns = process.env['COLLOQUY_FUZZ'] === undefined ? 400 : 10_000

test('client and node:http read generated and mutated responses the same', async () => {
  const cases = fc.tuple(
    response,
    fc.array(mutation, { maxLength: 3 }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
  )
  await fc.assert(
    fc.asyncProperty(cases, async ([text, mutations, places]) => {
      const bytes = bytesOf(mutations.reduce(mutated, text))
      const reading = readByClient([bytes])
      const positions = places.map((place) => Math.floor(place * bytes.length)).toSorted((a, b) => a - b)
      for (let at = 0; at <= bytes.length; at++) assertSame(readByClient(cut(bytes, at)), reading)
      assertSame(readByClient(cut(bytes, ...positions)), reading)
      const byNode = await readByNode([bytes])
      if (!('refused' in reading) && !('refused' in byNode)) return assert.deepEqual(reading, byNode)
      // A response that one of them refuses and that is not complete for the other fails with both.
      if (!isComplete(reading) && !isComplete(byNode)) return
      assert.ok('refused' in reading, `node:http refuses it: ${JSON.stringify(byNode)}`)
      assert.ok(
        stricter.some(
          ({ refusal, shape }) => refusal.test(reading.refused) && (shape?.test(bytes.toString('latin1')) ?? true),
        ),
        `no reason is known for: ${reading.refused}`,
      )
    }),
    { numRuns },
  )
})

/** The words of a refusal depend on how much has arrived. */
function assertSame(one: Reading, other: Reading): void {
  if ('refused' in one) assert.ok('refused' in other, JSON.stringify([one, other]))
  else assert.deepEqual(one, other)
}

function isComplete(reading: Reading): boolean {
  return !('refused' in reading) && reading.isComplete
}
