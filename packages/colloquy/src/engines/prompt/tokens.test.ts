import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unlisted } from '../../protocol/types/unlisted.ts'
import { promptPrefixes } from './cached-prompt.ts'
import { countInSteps, countPromptTokens, countTokens } from './tokens.ts'

const anyText = fc.string({
  unit: fc.constantFrom('a', 'Z', 'é', '漢', '7', ' ', '\n', '.', '😀', '{', '"', 'word'),
  maxLength: 60,
})

test('countTokens() gives the documented counts', () => {
  assert.equal(countTokens(''), 0)
  assert.equal(countTokens('hello'), 1)
  assert.equal(countTokens('Hello, world!'), 4)
  assert.equal(countTokens('internationalization'), 3)
  assert.equal(countTokens('漢字かな'), 4)
  assert.equal(countTokens('1234567'), 3)
  assert.equal(countTokens('\n\n'), 1)
  assert.equal(countTokens('😀'), 2)
})

test('countTokens() never counts a text lower than its prefix', () => {
  fc.assert(fc.property(anyText, anyText, (a, b) => countTokens(a + b) >= countTokens(a)))
})

test('countTokens() is additive over words with the space before them', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const pieces = text.match(/\s*\S+|\s+/g) ?? []
      assert.equal(
        pieces.reduce((sum, piece) => sum + countTokens(piece), 0),
        countTokens(text),
      )
    }),
  )
})

test('countPromptTokens() grows with every message, block and tool', () => {
  const model = 'claude-opus-5-5'
  const one = countPromptTokens({ model, messages: [{ role: 'user', content: 'Hello' }] })
  const two = countPromptTokens({
    model,
    messages: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi' },
    ],
  })
  const withSystem = countPromptTokens({ model, system: 'Be brief.', messages: [{ role: 'user', content: 'Hello' }] })
  const withTool = countPromptTokens({
    model,
    tools: [{ name: 'search', input_schema: { type: 'object' } }],
    messages: [{ role: 'user', content: 'Hello' }],
  })
  assert.ok(one > 0 && two > one && withSystem > one && withTool > one + 300)
})

test('countPromptTokens() counts a string like a text block, and ignores cache breakpoints', () => {
  const model = 'claude-opus-5-5'
  const string = countPromptTokens({ model, messages: [{ role: 'user', content: 'Good morning' }] })
  const block = countPromptTokens({
    model,
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Good morning', cache_control: { type: 'ephemeral' } }] },
    ],
  })
  assert.equal(string, block)
})

test('countPromptTokens() counts an image by its pixels, scaled down to the limit', () => {
  const count = (width: number, height: number): number =>
    countPromptTokens({
      model: 'claude-opus-5-5',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pngHeader(width, height) } },
          ],
        },
      ],
    })
  const frame = count(28, 28) - 1
  assert.equal(count(280, 280) - frame, 100)
  assert.equal(count(7_000, 7_000) - frame, 4_784)
})

test('countPromptTokens() accepts an unknown block', () => {
  const block = unlisted({ type: 'hologram', data: 'abc' })
  assert.ok(countPromptTokens({ model: 'm', messages: [{ role: 'user', content: [block] }] }) > 0)
})

function pngHeader(width: number, height: number): string {
  const bytes = Buffer.alloc(32)
  bytes.write('\x89PNG\r\n\x1a\n', 'latin1')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes.toString('base64')
}

test('a long text is counted and compared in steps, and has the tokens of its parts', () => {
  const part = 'word '.repeat(100_000)
  const source = { type: 'text' as const, media_type: 'text/plain' as const, data: part }
  const params = {
    model: 'm',
    max_tokens: 1,
    system: part,
    messages: [{ role: 'user' as const, content: [{ type: 'document' as const, source }] }],
  }
  const steps = (generator: Generator<void, unknown>): number => {
    let count = 0
    while (!generator.next().done) count++
    return count
  }
  const most = Math.floor((2 * part.length) / 65_536)
  assert.ok(steps(countInSteps(params)) >= most)
  assert.ok(steps(promptPrefixes(params, undefined)) >= 2 * most)
  assert.equal(countTokens(part), 100_000)
})
