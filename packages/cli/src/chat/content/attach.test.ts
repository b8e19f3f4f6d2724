import assert from 'node:assert/strict'
import test from 'node:test'
import { attach } from './attach.ts'

const mistakes: [source: string, message: string][] = [
  ['/no-such-file', 'Cannot attach /no-such-file: no such file'],
  ['/', 'Cannot attach /: it is a folder'],
  ['/dev/zero', 'Cannot attach /dev/zero: a file may have at most 32.0 MB as it is sent'],
  [
    'https://example.com/photo',
    'Cannot attach https://example.com/photo: the address must end in .pdf, .png, .jpg, .gif or .webp',
  ],
]

for (const [source, message] of mistakes) {
  test(`attach() says why ${source} cannot be attached`, async () => {
    await assert.rejects(attach(source), { name: 'UsageError', message })
  })
}

test('attach() passes on the address of a picture', async () => {
  const { block } = await attach('https://example.com/photo.png')
  assert.deepEqual(block, { type: 'image', source: { type: 'url', url: 'https://example.com/photo.png' } })
})
