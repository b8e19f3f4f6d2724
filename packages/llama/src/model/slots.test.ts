import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context, Sequence, Token } from './runtime.ts'
import { Slots } from './slots.ts'

/** A context whose sequences have read nothing. */
const context: Context = {
  getSequence: () =>
    ({ nextTokenIndex: 0, compareContextTokens: () => ({ firstDifferentIndex: 0 }) }) as unknown as Sequence,
  dispose: async () => {},
}
const prompt = [1, 2] as Token[]

test('take() gives a released slot to the request that waits, not to one that comes meanwhile', async () => {
  const slots = new Slots(context, 1, 5)
  const { slot } = await slots.take(prompt, undefined)
  const order: string[] = []
  const note = (name: string) => (): unknown => order.push(name)
  const first = slots.take(prompt, undefined).then(note('first'))
  slots.release(slot)
  const second = slots.take(prompt, undefined).then(note('second'))
  await first
  assert.deepEqual(order, ['first'])
  slots.release(slot)
  await second
  assert.deepEqual(order, ['first', 'second'])
})

test('take() rejects at once when the signal is aborted, also while it waits', async () => {
  const slots = new Slots(context, 1, 5)
  await assert.rejects(slots.take(prompt, AbortSignal.abort()), { name: 'APIUserAbortError' })
  const { slot } = await slots.take(prompt, undefined)
  const controller = new AbortController()
  const waiting = slots.take(prompt, controller.signal)
  controller.abort()
  await assert.rejects(waiting, { name: 'APIUserAbortError' })
  slots.release(slot)
  assert.equal((await slots.take(prompt, undefined)).slot, slot)
})
