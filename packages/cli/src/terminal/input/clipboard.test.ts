import assert from 'node:assert/strict'
import test from 'node:test'
import { bytesFor } from './clipboard.ts'

test('bytesFor() writes UTF-16 with its mark for clip.exe, and UTF-8 for others', () => {
  assert.deepEqual([...bytesFor('clip.exe', 'é')], [0xff, 0xfe, 0xe9, 0x00])
  assert.deepEqual([...bytesFor('pbcopy', 'é')], [0xc3, 0xa9])
})
