import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openConversations } from 'colloquy/conversation'
import { type Engine, script } from 'colloquy/engines'
import { openServerStore } from '../../state/server-store.ts'
import { Ledger } from '../ledger.ts'
import { metered } from './metered.ts'
import { listRequests } from '../reports/requests.ts'

test('metered() records whether a reply ended, was stopped or failed', async () => {
  const store = await openServerStore(':memory:')
  const ledger = new Ledger(store.database)
  const replies = script(['Hello', 'Stopped', { error: { type: 'overloaded_error' } }])
  let stop = (): void => undefined
  async function* stoppable(...[params, context]: Parameters<Engine>): ReturnType<Engine> {
    for await (const event of replies(params, context)) {
      yield event
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
        if (event.delta.text.includes('Stop')) stop()
      }
    }
  }
  const facts = { source: 'chat', engine: 'test', isPriced: true } as const
  const engine = metered(
    stoppable,
    async () => ledger,
    () => facts,
  )
  const chat = await openConversations({ engine }).create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
  await chat.send('One')
  const turn = chat.send('Two')
  stop = () => turn.abort()
  await turn.catch(() => undefined)
  await chat.send('Three').catch(() => undefined)
  await ledger.flush()
  const rows = await listRequests(store.database, { limit: 10 })
  const ends = rows.map(({ status, error_type: type }) => `${status} ${type ?? 'none'}`)
  assert.deepEqual(new Set(ends), new Set(['200 none', '499 aborted', '529 overloaded_error']))
  await ledger.close()
  await store.close()
})
