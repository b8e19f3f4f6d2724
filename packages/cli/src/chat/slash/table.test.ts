import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { pretendRuntime } from '../../../../../test/engines/pretend-runtime.ts'
import { SwitchingConnection } from '../../engine/switching-connection.ts'
import { UsageError } from '../../exit.ts'
import { Flags } from '../../flags.ts'
import type { ChatContext, ChatState, Effect } from '../chat-state.ts'
import { messageEffects } from '../message.ts'
import { commandsLike, findCommand, slashCommands } from './table.ts'

const names = slashCommands.flatMap(({ name, aliases = [] }) => [name, ...aliases])

const connection = await SwitchingConnection.open({ kind: 'offline' }, new Flags(new Map()), {})
const context: ChatContext = {
  chats: openConversations({ engine: connection.engine, store: memoryStore() }),
  connection,
  ledger: { close: async () => {} },
  tools: undefined,
  turnOptions: () => ({}),
  warnUsd: 0.5,
  title: undefined,
  isSaved: false,
}

const emptyChat: ChatState = {
  conversation: undefined,
  settings: { model: 'claude-sonnet-5-5', max_tokens: 100 },
  attachments: [],
  editedMessageId: undefined,
  costStyle: 'full',
  lastListedIds: [],
  lastListedModels: [],
  unconfirmedLine: undefined,
  unsentText: undefined,
  shouldExit: false,
}

async function effectsOf(name: string, rest: string, state: ChatState = emptyChat): Promise<readonly Effect[]> {
  const words = rest.split(' ').filter((word) => word !== '')
  return findCommand(name)!.run({ state, context, words, rest })
}

test('no two slash commands share a name or an alias', () => {
  assert.equal(new Set(names).size, names.length)
})

test('the table in docs/chat.md names every slash command', async () => {
  const page = await readFile(new URL('../../../../../docs/chat.md', import.meta.url), 'utf8')
  assert.deepEqual(
    slashCommands.filter(({ name }) => !page.includes(`\`/${name}`)).map(({ name }) => name),
    [],
  )
})

test('/help shows every slash command with its summary', async () => {
  const [effect] = await effectsOf('help', '')
  assert.ok(effect?.kind === 'say')
  for (const { name, summary } of slashCommands) {
    assert.ok(effect.lines.some((line) => line.includes(`/${name}`) && line.endsWith(summary)))
  }
})

test('/help and /model refuse a command and a number that they do not list', async () => {
  await assert.rejects(effectsOf('help', 'exprot'), { message: 'No command exprot. /help lists them.' })
  await assert.rejects(effectsOf('model', '7'), { message: /^Cannot switch to model 7: \/model lists them/ })
  const state = { ...emptyChat, lastListedModels: ['offline'] }
  await assert.rejects(effectsOf('model', '2', state), { message: 'Cannot switch to model 2: /model lists 1 to 1' })
})

test('every slash command either has an effect on an empty chat or says what it needs', async () => {
  for (const { name } of slashCommands) {
    try {
      assert.ok((await effectsOf(name, '')).length > 0, name)
    } catch (error) {
      assert.ok(error instanceof UsageError, name)
    }
  }
})

test('slash commands return changes and leave the state they were given alone', async () => {
  const conversation = await context.chats.create({ model: 'claude-sonnet-5-5', max_tokens: 100 })
  await conversation.send('Hello')
  const state = Object.freeze({ ...emptyChat, conversation })
  assert.deepEqual(await effectsOf('set', 'cost short', state), [
    { kind: 'change', changes: { costStyle: 'short' } },
    { kind: 'say', lines: ['cost short'] },
  ])
  const [changed] = await effectsOf('edit', '', state)
  assert.deepEqual(changed, { kind: 'change', changes: { editedMessageId: conversation.messages[0]!.id } })
  const [left] = await effectsOf('quit', '', state)
  assert.deepEqual(left, { kind: 'change', changes: { shouldExit: true } })
})

test('commandsLike() finds commands by the beginning of a name or alias', () => {
  assert.deepEqual(
    commandsLike('/re').map(({ name }) => name),
    ['resume', 'retry'],
  )
  assert.deepEqual(
    commandsLike('/exp').map(({ name }) => name),
    ['save'],
  )
  assert.deepEqual(commandsLike('/model x'), [])
})

test('a picture is refused before it is sent to a model that reads text only', async (t) => {
  const model = { path: 'small.gguf', title: 'SmolLM2 135M' }
  const home = await mkdtemp(join(tmpdir(), 'colloquy-'))
  t.after(() => rm(home, { recursive: true }))
  await pretendRuntime(join(home, 'colloquy'))
  const local = await SwitchingConnection.open({ kind: 'local', model }, new Flags(new Map()), {
    env: { XDG_DATA_HOME: home },
  })
  const picture = { name: 'a.png', bytes: 1, block: { type: 'image', source: { type: 'url', url: 'x' } } } as const
  const notes = {
    name: 'notes.md',
    bytes: 1,
    block: { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } },
  } as const
  const send = (attachment: typeof picture | typeof notes): Promise<Effect[]> =>
    messageEffects('look', { ...emptyChat, attachments: [attachment] }, { ...context, connection: local })
  await assert.rejects(send(picture), {
    message: 'Cannot send a.png: SmolLM2 135M reads text only. Nothing was sent.',
  })
  assert.equal((await send(notes)).at(-1)?.kind, 'turn')
  await local.close()
})
