import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openAccess } from '@colloquy/server/access'
import { openServerStore } from '@colloquy/server/store'
import { type Engine, script } from 'colloquy/engines'
import type { ModelInfo } from 'colloquy/protocol'
import { configuredChats } from './configured-chats.ts'

function engineWith(listModels: () => Promise<string[]>): Engine {
  const list = async (): Promise<ModelInfo[]> =>
    (await listModels()).map((id) => ({ type: 'model', id, display_name: id, created_at: '' }))
  return Object.assign(script(['Hello']), { listModels: list })
}

test('configuredChats() asks an engine once for its models, and the next one too', async () => {
  const store = await openServerStore(':memory:')
  const access = await openAccess({ store })
  const { key } = await access.keys.create({ name: 'ada', models: ['two'] })
  let asked = 0
  const lists = (...ids: string[]): Engine =>
    engineWith(async () => {
      asked++
      return ids
    })
  let engine = lists('one', 'two')
  let at = 0
  const chats = configuredChats({ engine: () => engine, access, isFree: () => true, now: () => at })
  const idsOf = async (owner?: string): Promise<string[]> => (await chats.models({ owner })).map(({ id }) => id)
  const modelOf = async (owner?: string): Promise<string | undefined> => (await chats.defaults({ owner })).model

  assert.deepEqual(await Promise.all([idsOf(), idsOf(key.id)]), [['one', 'two'], ['two']])
  assert.deepEqual(await Promise.all([modelOf(), modelOf(key.id)]), ['one', 'two'])
  assert.equal(asked, 1)

  engine = lists('three', 'two')
  assert.deepEqual([await modelOf(), await modelOf(key.id), asked], ['three', 'two', 2])
  at += 10_000
  assert.deepEqual([await modelOf(), asked], ['three', 3])
  await access.close()
  await store.close()
})

test('configuredChats() asks an engine again that could not list its models', async () => {
  const store = await openServerStore(':memory:')
  const access = await openAccess({ store })
  let isDown = true
  const engine = engineWith(async () => {
    if (isDown) throw new Error('down')
    return ['one']
  })
  const chats = configuredChats({ engine: () => engine, access, isFree: () => true })
  await assert.rejects(chats.models({}), { message: 'down' })
  assert.match((await chats.defaults({})).model!, /^claude-/)
  isDown = false
  assert.equal((await chats.defaults({})).model, 'one')
  await access.close()
  await store.close()
})
