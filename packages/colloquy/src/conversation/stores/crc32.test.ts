import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { crc32, crc32InJavaScript } from './crc32.ts'

test('crc32() is the CRC-32 of the text in UTF-8', () => {
  assert.equal(crc32('123456789'), 0xcbf43926)
  assert.equal(crc32InJavaScript('123456789'), 0xcbf43926)
})

test('crc32InJavaScript() is what node:zlib calculates, in one piece or several', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
      const together = zlib.crc32(one + other)
      assert.equal(crc32InJavaScript(one + other), together)
      assert.equal(crc32InJavaScript(other, crc32InJavaScript(one)), together)
    }),
  )
})
