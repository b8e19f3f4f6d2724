import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '../index.ts'
import { type OfflineOptions, offline, record, type RecordOptions, script, type Step, upstream } from './index.ts'

const cassette = { name: 'a', read: async () => undefined, write: async () => {} }

for (const [name, make, message] of [
  [
    'wordsPerSecond 0',
    () => offline({ wordsPerSecond: 0 }),
    'wordsPerSecond of offline(): it must be a number above 0: found 0',
  ],
  [
    'models of another form',
    () => offline({ models: [{}] } as unknown as OfflineOptions),
    'must be a list of objects with id',
  ],
  ['half a clock', () => offline({ clock: { now: Date.now } as never }), 'must be an object with now() and wait()'],
  [
    'a fraction of an event',
    () => script([{ reply: 'a', after: 1.5 }]),
    'after of step 1 of script(): it must be a whole number',
  ],
  ['a delay that is no number', () => script(['a', { reply: 'a', delayMs: NaN }]), 'delayMs of step 2 of script()'],
  ['an unknown cut', () => script([{ cut: 'maybe' } as unknown as Step]), 'must be reset or close: found "maybe"'],
  ['a condition that is a text', () => script([{ when: 'x', reply: 'a' } as unknown as Step]), 'when of step 1'],
  [
    'a status of a success',
    () => script([{ error: { type: 'api_error', status: 200 } }]),
    'status of the error of step 1',
  ],
  ['a text block without text', () => script([{ content: [{ type: 'text' }] } as never]), 'text of a block of step 1'],
  ['no client', () => upstream(undefined as never), 'its client has no messages.create()'],
  ['no attempts', () => upstream(new Anthropic({ apiKey: 'a' }), { recover: true as never }), 'recover of upstream()'],
  ['no cassette', () => record({} as RecordOptions), 'record() without a cassette'],
  ['a secret that is a number', () => record({ cassette, secrets: [5] as never }), 'a list of texts and patterns'],
] as const) {
  test(`an engine refuses ${name}`, async () => {
    await assert.rejects(
      async () => make(),
      (error: Error) => {
        assert.ok(error.name === 'AnthropicError' && error.message.includes(message), error.message)
        return true
      },
    )
  })
}
