import assert from 'node:assert/strict'
import test from 'node:test'
import { costOf, type Usage } from 'colloquy/protocol'
import { byteText, durationText, tokenText } from '../../format.ts'
import { costLine, stoppedFigures, type TurnFigures } from './cost-line.ts'

const usage: Usage = {
  input_tokens: 1200,
  cache_creation_input_tokens: 300,
  cache_read_input_tokens: 5000,
  cache_creation: { ephemeral_5m_input_tokens: 300, ephemeral_1h_input_tokens: 0 },
  output_tokens: 900,
}

function figures(changes: Partial<TurnFigures> = {}): TurnFigures {
  const model = changes.model ?? 'claude-opus-4-8'
  return {
    model,
    usage,
    cost: costOf(usage, model, { at: new Date('2026-11-01') }),
    isEstimated: false,
    isLocal: false,
    window: 1_000_000,
    ms: 10_400,
    writingMs: 10_450,
    chat: { picoUsd: 98_600_000_000n, estimated: false, unpriced: 0 },
    ...changes,
  }
}

test('costLine() shows tokens by bucket, time, speed, cost and the share of the window', () => {
  assert.equal(
    costLine(figures(), 'full'),
    '1.2k in (5.0k cached, 300 written) · 900 out · 10.4 s · 86 tok/s · $0.0329 · chat $0.0986 · context <1%',
  )
  assert.equal(costLine(figures(), 'short'), '$0.0329 · chat $0.0986')
})

test('costLine() shows 1-hour cache writes apart, at their own price', () => {
  const mixed = { ...usage, cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 } }
  const line = costLine(figures({ usage: mixed, cost: costOf(mixed, 'claude-opus-4-8') }), 'full')
  assert.match(line, /5\.0k cached, 100 written, 200 written for 1 h/)
  assert.doesNotMatch(line, /\$0\.0329/)
})

test('costLine() marks missing prices, estimates and the offline engine', () => {
  assert.match(
    costLine(figures({ model: 'mine', cost: undefined, window: undefined }), 'full'),
    / · no price for mine · chat \$0\.0986$/,
  )
  assert.match(costLine(figures({ isEstimated: true }), 'full'), /≈ 900 out.*≈ \$0\.0329/)
  assert.match(costLine(figures({ isLocal: true }), 'full'), / · local · context/)
  const chat = { picoUsd: 1_000_000_000n, estimated: true, unpriced: 2 }
  assert.match(costLine(figures({ chat }), 'full'), /chat ≈ \$0\.0010 \+ 2 without a price/)
})

test('stoppedFigures() shows the estimated output and cost', () => {
  assert.equal(stoppedFigures(figures({ usage: { ...usage, output_tokens: 7 } })), '≈ 7 out · ≈ $0.0329')
  assert.equal(stoppedFigures(figures({ isLocal: true })), '≈ 900 out')
})

test('tokenText(), durationText() and byteText() never round up to the next unit', () => {
  assert.deepEqual([0, 999, 1000, 9949, 9950, 999_499, 999_500].map(tokenText), [
    '0',
    '999',
    '1.0k',
    '9.9k',
    '10k',
    '999k',
    '1.0M',
  ])
  assert.deepEqual([40, 59_949, 59_950, 61_000, 119_499, 119_700].map(durationText), [
    '0.0 s',
    '59.9 s',
    '1 min 0 s',
    '1 min 1 s',
    '1 min 59 s',
    '2 min 0 s',
  ])
  assert.deepEqual([999, 1000, 999_949, 999_950].map(byteText), ['999 B', '1.0 KB', '999.9 KB', '1.0 MB'])
})
