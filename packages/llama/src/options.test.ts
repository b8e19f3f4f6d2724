import assert from 'node:assert/strict'
import { test } from 'node:test'
import { llama, type LlamaOptions } from './index.ts'

for (const [options, message] of [
  [{}, 'model must be the path of a GGUF file: found undefined'],
  [{ model: '' }, 'model must be the path of a GGUF file: found ""'],
  [{ contextSize: 0 }, 'contextSize must be a whole number from 1 on: found 0'],
  [{ contextSize: '2048' }, 'contextSize must be a whole number from 1 on: found "2048"'],
  [{ parallel: 0 }, 'parallel must be a whole number from 1 on: found 0'],
  [{ threads: 1.5 }, 'threads must be a whole number from 1 on: found 1.5'],
  [{ idleMs: Number.NaN }, 'idleMs must be a whole number from 0 on: found NaN'],
  [{ sampling: { temperature: 'hot' } }, 'temperature must be a number from 0 on: found "hot"'],
  [{ sampling: { topP: 2 } }, 'topP must be a number from 0 to 1: found 2'],
  [{ contextSise: 1 }, 'contextSise of llama(): did you mean contextSize?'],
  [{ sampling: { temprature: 1 } }, 'temprature of sampling: did you mean temperature?'],
] as const) {
  test(`llama() refuses ${JSON.stringify(options)}`, () => {
    const given = {
      ...('model' in options || Object.keys(options).length === 0 ? {} : { model: 'a.gguf' }),
      ...options,
    }
    assert.throws(
      () => llama(given as unknown as LlamaOptions),
      (error: Error) => error.message.includes(message),
    )
  })
}

test('llama() takes every option at its least and without a limit', () => {
  llama({ model: 'a.gguf', contextSize: 1, parallel: 1, threads: 1, maxQueue: Infinity, idleMs: 0 })
  llama({ model: 'a.gguf', idleMs: Infinity, sampling: { temperature: 0, topP: 1, topK: 0, repeatPenalty: 1 } })
})
