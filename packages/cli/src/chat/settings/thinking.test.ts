import assert from 'node:assert/strict'
import test from 'node:test'
import { createServer } from '@colloquy/server'
import { offline } from 'colloquy/engines'
import { findModel, models } from 'colloquy/protocol'
import { UsageError } from '../../exit.ts'
import { isThinkingLevel, thinkingForModel, thinkingLevelOf, thinkingSettings, type ThinkingLevel } from './thinking.ts'

const levels = ['off', 'low', 'medium', 'high', 'xhigh', 'max'].filter(isThinkingLevel)
const server = createServer({ engine: offline() })

/** The status and body of a request to the strict server. */
async function send(settings: object): Promise<[number, string]> {
  const response = await server.fetch('http://colloquy.local/v1/messages', {
    method: 'POST',
    headers: { 'anthropic-version': '2026-10-21', 'content-type': 'application/json' },
    body: JSON.stringify({ ...settings, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  return [response.status, await response.text()]
}

for (const { id, thinking } of models) {
  test(`the server accepts every level of thinking that ${id} can have`, async () => {
    for (const level of levels) {
      for (const max_tokens of [1100, 8192]) {
        const request = { model: id, max_tokens }
        try {
          const settings = { ...request, ...thinkingSettings(level, request) }
          const [status, body] = await send(settings)
          assert.equal(status, 200, `${level}: ${body}`)
          if (level === 'off') assert.equal(thinkingLevelOf(settings), 'off')
        } catch (error) {
          assert.ok(error instanceof UsageError, String(error))
          assert.ok(
            level === 'off' && !thinking.types.includes('disabled') && !thinking.types.includes('between_tools'),
          )
        }
      }
    }
  })
}

test('a chat that thinks can change to any model, and back to the same level', async () => {
  for (const first of models) {
    for (const second of models) {
      const settings = {
        model: first.id,
        max_tokens: 8192,
        ...thinkingSettings('medium', { model: first.id, max_tokens: 8192 }),
      }
      const changed = { ...settings, model: second.id, ...thinkingForModel(settings, second.id) }
      const types = findModel(second.id)!.thinking.types as readonly string[]
      assert.ok(types.includes(changed.thinking!.type))
      assert.equal(thinkingLevelOf({ ...changed, ...thinkingForModel(changed, first.id) }), 'medium')
    }
  }
})

test('an effort that the model does not have becomes the next lower one', () => {
  const effort = (level: ThinkingLevel, model: string): unknown =>
    thinkingSettings(level, { model, max_tokens: 8192 }).output_config?.effort
  assert.deepEqual(
    levels.slice(1).map((level) => effort(level, 'claude-opus-4-6')),
    ['low', 'medium', 'high', 'high', 'max'],
  )
  assert.equal(effort('max', 'claude-haiku-4-5'), undefined)
})

test('an unknown model gets the settings of the newest ones', () => {
  assert.deepEqual(thinkingSettings('max', { model: 'unheard-of', max_tokens: 100 }), {
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: { effort: 'max' },
  })
})

test('thinkingSettings() says what cannot be', () => {
  const cannot = (level: ThinkingLevel, model: string, max_tokens: number): (() => unknown) => {
    return () => thinkingSettings(level, { model, max_tokens })
  }
  assert.throws(
    cannot('off', 'claude-opus-5-5', 8192),
    /^UsageError: Cannot turn thinking off: claude-opus-5-5 always thinks/,
  )
  assert.throws(
    cannot('low', 'claude-haiku-4-5', 1024),
    /^UsageError: Cannot use thinking low with 1024 tokens for a reply/,
  )
})
