import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import * as fc from 'fast-check'
import { contentBlock, documentBlock, imageBlock } from './content.ts'
import { imageSize, mediaTypeOf } from './media.ts'

// 3 × 2 pixels each.
const image = {
  'image/png': 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGP4z8AAQQxwFgBB0gX7h/C5SAAAAABJRU5ErkJggg==',
  'image/gif': 'R0lGODlhAwACAPAAAP8AAAAAACH5BAAAAAAALAAAAAADAAIAAAIChF8AOw==',
  'image/jpeg':
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/2wBDAQMDAwQDBAgEBAgQCwkLEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBD/wAARCAACAAMDAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAACP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAVAQEBAAAAAAAAAAAAAAAAAAAHCf/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/ADoDFU3/2Q==',
  'image/webp': 'UklGRjwAAABXRUJQVlA4IDAAAADQAQCdASoDAAIAAgA0JaACdLoB+AADsAD+8MQL/yC5YXXI1/8gP+QH/ID/+PIAAAA=',
}
const losslessWebp = 'UklGRhwAAABXRUJQVlA4TA8AAAAvAkAAAAcQ/Y/+ByKi/wEA'

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}

function pngOf(width: number, height: number): Uint8Array<ArrayBuffer> {
  const png = bytes(image['image/png'])
  new DataView(png.buffer).setUint32(16, width)
  new DataView(png.buffer).setUint32(20, height)
  return png
}

async function folder(t: TestContext): Promise<string> {
  const place = await mkdtemp(path.join(tmpdir(), 'content-'))
  t.after(() => rm(place, { recursive: true }))
  return place
}

test('contentBlock() makes an image block of each format by its bytes, not its name', async () => {
  for (const [media_type, data] of Object.entries(image)) {
    const block = { type: 'image', source: { type: 'base64', media_type, data } }
    assert.deepEqual(await contentBlock(bytes(data)), block)
    assert.deepEqual(await contentBlock(new Blob([bytes(data)], { type: 'text/plain' })), block)
    assert.deepEqual(await contentBlock(bytes(data).buffer), block)
    assert.deepEqual(await contentBlock(`data:text/plain;base64,${data}`), block)
  }
})

test('contentBlock() makes a document of a PDF or text, with the file name as title', async (t) => {
  const place = await folder(t)
  const notes = path.join(place, 'my notes.md')
  await writeFile(notes, '\uFEFF# Zürich\n')
  const source = { type: 'text', media_type: 'text/plain', data: '# Zürich\n' }
  assert.deepEqual(await contentBlock(notes), { type: 'document', source, title: 'my notes.md' })
  assert.deepEqual(await contentBlock(pathToFileURL(notes)), { type: 'document', source, title: 'my notes.md' })
  assert.deepEqual(await contentBlock(pathToFileURL(notes).href, { title: 'Notes', citations: { enabled: true } }), {
    type: 'document',
    source,
    title: 'Notes',
    citations: { enabled: true },
  })
  const pdf = Buffer.from('%PDF-1.7\n\xff\xfe\n%%EOF', 'latin1')
  assert.deepEqual(await contentBlock(new File([pdf], 'a.pdf')), {
    type: 'document',
    source: { type: 'base64', media_type: 'application/pdf', data: pdf.toString('base64') },
    title: 'a.pdf',
  })
})

test('contentBlock() reads UTF-16 that begins with its mark', async () => {
  const little = Buffer.from('\ufeffLumière', 'utf16le')
  for (const encoded of [little, Buffer.from(little).swap16()]) {
    const { source } = await documentBlock(encoded)
    assert.deepEqual(source, { type: 'text', media_type: 'text/plain', data: 'Lumière' })
  }
  await assert.rejects(contentBlock(little.subarray(0, -1)), /found other bytes$/)
  await assert.rejects(contentBlock(Buffer.from('\ufeff\0', 'utf16le')), /found other bytes$/)
})

test('contentBlock() passes a URL on, and needs `as` if its path has no known ending', async () => {
  const block = { type: 'image', source: { type: 'url', url: 'https://example.com/a.JPEG?size=2' } }
  assert.deepEqual(await contentBlock('https://example.com/a.JPEG?size=2'), block)
  assert.deepEqual(await contentBlock(new URL('https://example.com/a.JPEG?size=2')), block)
  assert.deepEqual(await contentBlock('https://example.com/a.pdf', { cache_control: { type: 'ephemeral' } }), {
    type: 'document',
    source: { type: 'url', url: 'https://example.com/a.pdf' },
    cache_control: { type: 'ephemeral' },
  })
  assert.equal((await contentBlock('https://example.com/photo', { as: 'image' })).type, 'image')
  assert.equal((await documentBlock('https://example.com/paper')).type, 'document')
  await assert.rejects(contentBlock('https://example.com/photo?key=secret'), {
    name: 'AnthropicError',
    message: "Cannot tell what https://example.com/photo is: pass { as: 'image' } or { as: 'document' }",
  })
})

test('contentBlock() refuses what the API would refuse, and says what it found', async () => {
  await assert.rejects(contentBlock(pngOf(8001, 10)), /at most 8000 pixels a side: found 8001 × 10$/)
  const large = new Uint8Array(8 * 1024 * 1024)
  large.set(pngOf(10, 10))
  await assert.rejects(contentBlock(large), /an image may have at most 10\.0 MB as it is sent: found 10\.7 MB$/)
  await assert.rejects(contentBlock(new Uint8Array()), /^AnthropicError: Cannot send the content: it is empty$/)
  await assert.rejects(contentBlock(bytes(image['image/png']).subarray(0, 12)), /its header is damaged/)
  await assert.rejects(contentBlock('https://'), /it is not a valid URL/)
  await assert.rejects(contentBlock('data:;base64,%'), /Cannot read the data: URL/)
  await assert.rejects(contentBlock(7 as never), /found 7, not a path, URL, Blob or bytes/)
})

test('contentBlock() names common formats that the API does not accept', async () => {
  for (const [start, found] of [
    ['\0\0\0\x18ftypheic', 'a HEIC image'],
    ['\0\0\0\x18ftypavif', 'an AVIF image'],
    ['II*\0\x08', 'a TIFF image'],
    ['BM\xff\0', 'a BMP image'],
    ['PK\x03\x04\xff', 'a ZIP archive or office document'],
    ['\x7fELF\xff', 'other bytes'],
  ] as const) {
    const expected = `Cannot send the content: it must be PNG, JPEG, GIF, WebP, PDF or UTF-8 text: found ${found}`
    await assert.rejects(contentBlock(Buffer.from(start, 'latin1')), { message: expected })
  }
})

test('contentBlock() names a file that it cannot read, and does not read one that is too large', async (t) => {
  const place = await folder(t)
  await assert.rejects(contentBlock(path.join(place, 'none.png')), { message: /^Cannot read none\.png: ENOENT/ })
  await assert.rejects(contentBlock(place), { message: /^Cannot read content-\w+: EISDIR/ })
  const large = path.join(place, 'large.bin')
  await writeFile(large, '')
  await truncate(large, 2 ** 40)
  await assert.rejects(contentBlock(large), /a file may have at most 32\.0 MB/)
})

test('contentBlock() reads a pipe, and of a device no more than may be sent', async (t) => {
  if (process.platform === 'win32') return t.skip('NOT RUN: Windows has no named pipes in folders')
  const pipe = path.join(await folder(t), 'pipe')
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', pipe])
  const [block] = await Promise.all([contentBlock(pipe), writeFile(pipe, 'from a pipe')])
  assert.equal(block.source.type === 'text' && block.source.data, 'from a pipe')
  await assert.rejects(contentBlock('/dev/zero'), /^AnthropicError: Cannot send zero: a file may have at most 32\.0 MB/)
})

test('contentBlock() needs a file system for paths only', async (t) => {
  t.mock.method(process, 'getBuiltinModule', () => undefined)
  assert.equal((await contentBlock(bytes(image['image/png']))).type, 'image')
  await assert.rejects(contentBlock('photo.png'), /there is no file system here, pass its bytes or a Blob/)
})

test('imageBlock() and documentBlock() refuse other content', async () => {
  assert.equal((await imageBlock(bytes(image['image/gif']))).type, 'image')
  await assert.rejects(imageBlock(Buffer.from('text')), /Cannot make an image block: found text\/plain/)
  await assert.rejects(documentBlock(bytes(image['image/gif'])), /Cannot make a document block: found image\/gif/)
})

test('imageSize() reads the size of each format', () => {
  for (const data of [...Object.values(image), losslessWebp])
    assert.deepEqual(imageSize(bytes(data)), { width: 3, height: 2 }, data)
  assert.deepEqual(imageSize(pngOf(640, 480)), { width: 640, height: 480 })
  const gif = bytes(image['image/gif'])
  gif.set([0x02, 0x01, 0x04, 0x03], 6)
  assert.deepEqual(imageSize(gif), { width: 0x0102, height: 0x0304 })
  const extended = Buffer.from('RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\x07\0\x37\x04\0', 'latin1')
  assert.deepEqual(imageSize(extended), { width: 1920, height: 1080 })
  const jpeg = Buffer.from(
    '\xff\xd8\xff\xe0\0\x04ab\xff\xff\xff\xdb\0\x03a\xff\xc0\0\x0b\x08\x01\xe0\x02\x80\x01',
    'latin1',
  )
  assert.deepEqual(imageSize(jpeg), { width: 640, height: 480 })
})

test('imageSize() and mediaTypeOf() never throw for any bytes', () => {
  const starts = [...Object.values(image), losslessWebp].map((data) => bytes(data))
  const cut = fc.tuple(fc.constantFrom(...starts), fc.nat(200), fc.uint8Array()).map(([start, length, rest]) => {
    const head = start.subarray(0, length)
    const all = new Uint8Array(head.length + rest.length)
    all.set(head)
    all.set(rest, head.length)
    return all
  })
  fc.assert(fc.property(cut, (bytes) => void [imageSize(bytes), mediaTypeOf(bytes)]))
})
