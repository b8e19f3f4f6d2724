import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { script } from '../../engines/script.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { fromUsd } from '../../protocol/models/money.ts'
import { BudgetError, type Conversations, openConversations } from '../index.ts'
import { sqliteStore } from '../stores/sqlite/store.ts'
import { waitForMidnight } from '../../../../../test/same-day.ts'
import { seed, seeded } from '../../../../../test/seeded.ts'
import { until } from '../../../../../test/until.ts'

/** A request can take 1.5 cents, and its prompt. */
const settings = { model: 'claude-sonnet-4-6', max_tokens: 1000, metadata: { user_id: 'ada' } }
const usage = { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1000 }
const spender = (delayMs: number): Engine => script([{ reply: { content: 'spent', usage }, times: 10_000, delayMs }])
const begun = { ...usage, output_tokens: 1 }
const staller = script([{ reply: { content: 'one two three four', usage: begun }, after: 5, stall: true }])

const [, , role, path, usd] = process.argv
if (role !== undefined && path !== undefined) await (role === 'spend' ? spend(path, Number(usd)) : stall(path))
else {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  before(waitForMidnight)
  after(() => rmSync(folder, { recursive: true }))

  test('processes that share a limit use it up and never exceed it', async () => {
    const file = join(folder, 'spend.db')
    sqliteStore(file)
    const processes = Array.from({ length: 3 }, () => start('spend', file, 0.5))
    await Promise.all(processes.map(({ said }) => said('ready')))
    for (const { child } of processes) child.stdin!.end('go')
    await Promise.all(processes.map(({ over }) => over))
    const conversations = open(file, 0.5, spender(0))
    const { picoUsd, held } = await conversations.spending()
    assert.deepEqual(held, { picoUsd: 0n, tokens: 0n })
    // Each was refused only when another request did not fit.
    assert.ok(picoUsd > fromUsd(0.48) && picoUsd <= fromUsd(0.5), `${picoUsd}`)
    assert.equal(picoUsd, paid(file))
    await conversations.close()
  })

  test(`after kills at random instants, accounts equal the sum of the replies (seed ${seed})`, async () => {
    const file = join(folder, 'kill.db')
    const store = sqliteStore(file)
    const instant = seeded()
    const isHeld = async (): Promise<boolean> => (await store.spending({ user: 'ada', day: '' })).held.tokens > 0n
    for (let round = 0; round < 6 || (round < 60 && !(await isHeld())); round++) {
      const { child, said, over } = start('spend', file, 100)
      await said('ready')
      child.stdin!.write('go')
      await new Promise((resolve) => setTimeout(resolve, instant() * 40 * (round + 2)))
      // On a loaded machine it takes longer until a reply has ended.
      if (round >= 5) await until(() => paid(file) > 0n)
      child.kill('SIGKILL')
      await over
    }
    const conversations = open(file, 100, spender(0))
    assert.ok((await conversations.spending({ user: 'ada' })).held.tokens > 0n, 'no process died with something held')
    for (const { id } of await conversations.list({ limit: 1_000 })) await conversations.open(id)
    const { picoUsd, held } = await conversations.spending({ user: 'ada' })
    assert.deepEqual(held, { picoUsd: 0n, tokens: 0n })
    assert.ok(picoUsd > 0n, 'no reply ended')
    assert.equal(picoUsd, paid(file))
    await conversations.close()
  })

  test('reservations of a killed process are released, and what had arrived is charged', async () => {
    const file = join(folder, 'stall.db')
    const { child, said, over } = start('stall', file, 0.03)
    await said('arrived')
    const conversations = open(file, 0.03, spender(0))
    const conversation = await conversations.create(settings)
    await assert.rejects(
      conversation.send('Hello'),
      (error) => error instanceof BudgetError && error.held > fromUsd(0.015),
    )
    child.kill('SIGKILL')
    await over
    // The owner is known to be gone, so its lease does not have to expire.
    await conversation.send('Hello')
    const { picoUsd, held } = await conversations.spending()
    assert.deepEqual(held, { picoUsd: 0n, tokens: 0n })
    assert.ok(picoUsd > conversation.cost.picoUsd, 'what had arrived is counted')
    assert.equal(picoUsd, paid(file))
    await conversations.close()
  })
}

function open(file: string, usdPerUserDay: number, engine: Engine): Conversations {
  return openConversations({ engine, store: sqliteStore(file), limits: { usdPerUserDay }, journalMs: 1 })
}

/** The records of all replies, in all conversations. */
function paid(file: string): bigint {
  const db = new DatabaseSync(file)
  const { sum } = db.prepare('SELECT sum(cost_pico_usd) AS sum FROM call').get() as { sum: number | null }
  db.close()
  return BigInt(sum ?? 0)
}

/** Sends in several conversations at once, until there is no room for another request. */
async function spend(file: string, usdPerUserDay: number): Promise<void> {
  const conversations = open(file, usdPerUserDay, spender(3))
  process.stdout.write('ready\n')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  const talk = async (): Promise<void> => {
    for (let left = true; left;) {
      const turn = (await conversations.create(settings)).send('Hello')
      left = await turn.then(
        () => true,
        async (error: unknown) => {
          if (!(error instanceof BudgetError)) throw error
          await new Promise((resolve) => setTimeout(resolve, 3))
          return error.held > 0n
        },
      )
    }
  }
  await Promise.all([talk(), talk(), talk()])
  await conversations.close()
}

/** Sends a request whose reply never ends. */
async function stall(file: string): Promise<void> {
  const conversations = open(file, 0.03, staller)
  const turn = (await conversations.create(settings)).send('Hello')
  for await (const _ of turn.text) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    process.stdout.write('arrived\n')
  }
}

interface Started {
  child: ChildProcess
  /** Resolves when the process has printed it. */
  said: (word: string) => Promise<void>
  over: Promise<void>
}

function start(part: 'spend' | 'stall', file: string, usdPerUserDay: number): Started {
  const options = process.execArgv.filter((option) => !option.startsWith('--test'))
  const child = spawn(
    process.execPath,
    [
      ...options,
      '--conditions=@colloquy/source',
      '--no-warnings',
      import.meta.filename,
      part,
      file,
      String(usdPerUserDay),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  let output = ''
  const heard = new Set<() => void>()
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    for (const listener of heard) listener()
  })
  const over = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const said = (word: string): Promise<void> =>
    new Promise((resolve) => {
      const listen = (): void => {
        if (output.includes(word)) resolve()
      }
      heard.add(listen)
      listen()
    })
  return { child, said, over }
}
