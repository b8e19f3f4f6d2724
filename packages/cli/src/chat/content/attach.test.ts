import assert from 'node:assert/strict'
import test from 'node:test'
import { attach, attachBytes, mentionedFiles } from './attach.ts'

const long = 'a'.repeat(300)

const mistakes: [what: string, source: string, message: string | RegExp][] = [
  ['a file that is not there', '/no-such-file', 'Cannot attach /no-such-file: no such file or folder'],
  ['a name that is too long', long, `Cannot attach ${long}: its name is too long`],
  ['a name with a null byte', 'a\0b', /^Cannot attach a\0b: .*null bytes/],
  ['a folder', '/', 'Cannot attach /: it is a folder'],
  ['a device without an end', '/dev/zero', 'Cannot send zero: a file may have at most 32.0 MB as it is sent'],
  [
    'an address of something',
    'https://example.com/photo',
    'Cannot attach https://example.com/photo: the address must end in .pdf, .png, .jpg, .gif or .webp',
  ],
]

for (const [what, source, message] of mistakes) {
  test(`attach() says why it cannot attach ${what}`, async () => {
    await assert.rejects(attach(source), { name: 'UsageError', message })
  })
}

test('attach() and attachBytes() name content that has no file', async () => {
  await assert.rejects(attach('-', new Uint8Array()), { name: 'UsageError', message: 'Cannot send stdin: it is empty' })
  const message = /^Cannot send photo: it must be PNG, JPEG, .*: found a ZIP archive/
  await assert.rejects(attachBytes(Buffer.from('PK\0\0'), 'photo'), { name: 'UsageError', message })
})

test('mentionedFiles() takes what is not a path for text', () => {
  assert.deepEqual(mentionedFiles(`hello @${long} and @a\0b and @${import.meta.filename}`), [import.meta.filename])
})

test('attach() passes on the address of a picture', async () => {
  const { block } = await attach('https://example.com/photo.png')
  assert.deepEqual(block, { type: 'image', source: { type: 'url', url: 'https://example.com/photo.png' } })
})
