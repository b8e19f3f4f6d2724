import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import fc from 'fast-check'
import { storePlaces } from '../../../../../test/stores.ts'
import { BudgetError, ConversationConflictError, ConversationNotFoundError } from '../errors.ts'
import type {
  Account,
  BegunTurn,
  ConversationStore,
  FinishStep,
  Reservation,
  LimitedAccount,
  Spending,
} from './store.ts'

// The contract of every store for its accounts. Each test gets a new, empty store.

const today: LimitedAccount = { user: '', day: '2026-11-21', most: { picoUsd: 1_000n, tokens: 500n } }
const ada: LimitedAccount = { user: 'ada', day: '', most: { tokens: 300n } }
const adaToday: LimitedAccount = { user: 'ada', day: '2026-11-21', most: {} }

for (const [name, make] of Object.entries(storePlaces())) {
  describe(`accounts in ${name}`, () => {
    let folder: string
    let open: () => ConversationStore
    let store: ConversationStore
    let clock: number

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
      clock = 1_000
      open = make(folder, { leaseMs: 30_000, now: () => clock })
      store = open()
      await store.create({ id: 'one', title: null, settings: '{}', at: clock })
    })

    afterEach(async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    })

    async function begin(reservation: Reservation | undefined, version = 1, to = store): Promise<BegunTurn> {
      const messages = [{ role: 'user', json: '{"role":"user","content":"hello"}' }]
      const begun = await to.begin({ id: 'one', version, parent: 0, messages, reservation, at: clock })
      assert.ok(!begun.repeated)
      return begun
    }

    function end({ handle }: BegunTurn, reply: string, more: Partial<FinishStep> = {}): Promise<{ number: number }> {
      const json = '{"role":"assistant","content":"hi"}'
      return store.finish({ id: 'one', handle, state: 'committed', json, received: null, reply, at: clock, ...more })
    }

    test('a reservation is held until the reply ends, then its usage is spent', async () => {
      assert.deepEqual(await amounts(store, today), [0n, 0n, 0n, 0n, 0])
      const begun = await begin(hold(400n, 200n, today, ada, adaToday))
      for (const account of [today, ada, adaToday]) {
        assert.deepEqual(await amounts(store, account), [0n, 0n, 400n, 200n, 0])
      }
      const [unfinished] = (await store.open('one'))!.unfinished
      assert.deepEqual({ ...unfinished?.reserved }, { picoUsd: 400n, tokens: 200n })
      await end(begun, reply(150, 80))
      for (const account of [today, ada, adaToday]) {
        assert.deepEqual(await amounts(store, account), [150n, 80n, 0n, 0n, 0])
      }
      assert.deepEqual(await amounts(store, { user: 'ada', day: '2026-11-22' }), [0n, 0n, 0n, 0n, 0])
    })

    test('begin() over a limit writes nothing and throws the amounts', async () => {
      await end(await begin(hold(300n, 100n, today, ada)), reply(250, 90))
      await begin(hold(500n, 150n, today, ada), 2)
      const before = await store.open('one')
      await assert.rejects(
        begin(hold(251n, 10n, today, ada), 3),
        new BudgetError('usdPerDay', { allowed: 1_000n, spent: 250n, held: 500n, worst: 251n }),
      )
      await assert.rejects(
        begin(hold(1n, 61n, today, ada), 3),
        new BudgetError('tokensPerUser', { allowed: 300n, spent: 90n, held: 150n, worst: 61n }),
      )
      assert.deepEqual(await store.open('one'), before)
      assert.deepEqual(await amounts(store, today), [250n, 90n, 500n, 150n, 0])
      assert.deepEqual(await amounts(store, ada), [250n, 90n, 500n, 150n, 0])
      await begin(hold(250n, 60n, today, ada), 3)
    })

    test('begin() with an old version reserves nothing', async () => {
      await begin(undefined)
      await assert.rejects(begin(hold(1n, 1n, today)), ConversationConflictError)
      assert.deepEqual(await amounts(store, today), [0n, 0n, 0n, 0n, 0])
    })

    test('begin() with a used key reserves nothing, even over a limit', async () => {
      const step = { id: 'one', parent: 0, messages: [{ role: 'user', json: '{}' }], key: 'k', at: clock }
      await store.begin({ ...step, version: 1, reservation: hold(900n, 1n, today) })
      const again = await store.begin({ ...step, version: 2, reservation: hold(900n, 1n, today) })
      assert.ok(again.repeated)
      assert.deepEqual(await amounts(store, today), [0n, 0n, 900n, 1n, 0])
    })

    test('a failed reply is free, a reply without a price costs its reservation', async () => {
      await end(await begin(hold(400n, 200n, today)), '{"error":{}}', { state: 'failed', json: '' })
      assert.deepEqual(await amounts(store, today), [0n, 0n, 0n, 0n, 0])
      await end(await begin(hold(400n, 200n, today), 2), reply(null, 70))
      assert.deepEqual(await amounts(store, today), [400n, 70n, 0n, 0n, 1])
    })

    test('a reply whose tools run has a lease but no reservation', async () => {
      const begun = await begin(hold(400n, 200n, today))
      await end(begun, reply(50, 20), { continues: true })
      assert.deepEqual(await amounts(store, today), [50n, 20n, 0n, 0n, 0])
      const [leased] = (await store.open('one'))!.unfinished
      assert.deepEqual([leased?.awaitsTools, { ...leased?.reserved }], [true, { picoUsd: 0n, tokens: 0n }])
    })

    test('abandonedReservations() finds an abandoned reply until it is finished', async () => {
      const begun = await begin(hold(400n, 200n, today))
      assert.deepEqual(await store.abandonedReservations(), [])
      clock += 31_000
      assert.deepEqual(await store.abandonedReservations(), ['one'])
      assert.deepEqual(await amounts(store, today), [0n, 0n, 400n, 200n, 0])
      const given = { state: 'interrupted', recovering: true } as const
      await end(begun, reply(150, 80), given)
      await end(begun, reply(150, 80), given)
      assert.deepEqual(await store.abandonedReservations(), [])
      assert.deepEqual(await amounts(store, today), [150n, 80n, 0n, 0n, 0])
    })

    test('a late reply replaces the charge of the recovered one', async () => {
      const begun = await begin(hold(400n, 200n, today, ada))
      await end(begun, reply(150, 80), { state: 'interrupted', recovering: true })
      assert.equal((await end(begun, reply(120, 90), { accounts: [today, ada] })).number, 3)
      assert.deepEqual(await amounts(store, today), [120n, 90n, 0n, 0n, 0])
      assert.deepEqual(await amounts(store, ada), [120n, 90n, 0n, 0n, 0])
      const opened = (await store.open('one'))!
      const paid = [...opened.messages.map((message) => message.reply), ...opened.offPathReplies].filter(
        (each) => each !== null && !each.includes('"unpaid"'),
      )
      assert.deepEqual(paid, [reply(120, 90)])
    })

    test('finish() saves a reply that exceeds a limit', async () => {
      const first = await begin(hold(400n, 200n, today, ada))
      await end(first, reply(150, 80), { state: 'interrupted', recovering: true })
      const second = await begin(hold(50n, 5n, today, ada), first.version)
      await end(second, reply(500, 700))
      await end(first, reply(900, 290), { accounts: [today, ada] })
      assert.deepEqual(await amounts(store, today), [1_400n, 990n, 0n, 0n, 0])
      await assert.rejects(begin(hold(0n, 0n, today, ada), second.version + 1), { limit: 'usdPerDay', spent: 1_400n })
    })

    test('finish() called twice charges once', async () => {
      const begun = await begin(hold(400n, 200n, today))
      await end(begun, reply(150, 80), { accounts: [today] })
      // The memory store has forgotten the reply: it cannot lose the result of a call.
      await end(begun, reply(150, 80), { accounts: [today] }).catch((error: unknown) => {
        assert.ok(name === 'memoryStore' && error instanceof ConversationNotFoundError)
      })
      assert.deepEqual(await amounts(store, today), [150n, 80n, 0n, 0n, 0])
    })

    test('prune() and delete() charge the reservations of replies in flight', async () => {
      const { version } = await begin(hold(100n, 10n, today))
      await begin(hold(200n, 20n, today, ada), version)
      await store.prune('one', version + 1, 1)
      assert.deepEqual(await amounts(store, today), [100n, 10n, 200n, 20n, 0])
      await store.delete('one')
      assert.deepEqual(await amounts(store, today), [300n, 30n, 0n, 0n, 0])
      assert.deepEqual(await amounts(store, ada), [200n, 20n, 0n, 0n, 0])
    })

    test('forgetDays() erases days without reservations', async () => {
      await end(await begin(hold(100n, 10n, today, ada)), reply(100, 10))
      await begin(hold(200n, 20n, adaToday), 2)
      await store.forgetDays(today.day)
      assert.deepEqual(await amounts(store, today), [100n, 10n, 0n, 0n, 0])
      await store.forgetDays('2026-11-22')
      assert.deepEqual(await amounts(store, today), [0n, 0n, 0n, 0n, 0])
      assert.deepEqual(await amounts(store, ada), [100n, 10n, 0n, 0n, 0])
      assert.deepEqual(await amounts(store, adaToday), [0n, 0n, 200n, 20n, 0])
    })

    test('amounts beyond 2^53 are exact', async () => {
      const account = { ...today, most: { picoUsd: 1_000_000_000_000_000_001n } }
      await end(await begin(hold(999_999_999_999_999_999n, 1n, account)), reply(null, 1))
      await assert.rejects(begin(hold(3n, 1n, account), 2), { limit: 'usdPerDay', spent: 999_999_999_999_999_999n })
      await begin(hold(2n, 1n, account), 2)
    })

    test('turns that begin at once, in two processes, never exceed a limit', async () => {
      const others = [store, open()]
      const ids = Array.from({ length: 12 }, (_, index) => `c${index}`)
      for (const id of ids) await store.create({ id, title: null, settings: '{}', at: clock })
      const begun = await Promise.allSettled(
        ids.map((id, index) =>
          others[index % 2]!.begin({
            id,
            version: 1,
            parent: 0,
            messages: [],
            // In different orders, which could deadlock.
            reservation: hold(300n, 50n, ...(index % 3 === 0 ? [ada, today] : [today, ada])),
            at: clock,
          }),
        ),
      )
      assert.equal(begun.filter(({ status }) => status === 'fulfilled').length, 3)
      for (const each of begun)
        if (each.status === 'rejected') assert.ok(each.reason instanceof BudgetError, each.reason)
      assert.deepEqual(await amounts(store, today), [0n, 0n, 900n, 150n, 0])
      if (name !== 'memoryStore') await others[1]!.close()
    })

    test('a reply is charged once when finish() and delete() race', async () => {
      const other = open()
      const [account, user] = [today, ada].map((each) => ({ ...each, most: {} })) as [LimitedAccount, LimitedAccount]
      let spent = 0n
      for (let round = 0; round < 20; round++) {
        const id = `race ${round}`
        await store.create({ id, title: null, settings: '{}', at: clock })
        const wanted = hold(100n, 100n, account, user)
        const begun = await store.begin({ id, version: 1, parent: 0, messages: [], reservation: wanted, at: clock })
        assert.ok(!begun.repeated)
        const step = { id, handle: begun.handle, json: '{}', received: null, at: clock }
        const late = { ...step, state: 'committed', reply: reply(7, 1), accounts: [account, user] } as const
        const recovered = { ...step, state: 'interrupted', reply: reply(5, 1), recovering: true } as const
        const rival = round % 2 === 0 ? other.finish(recovered) : other.delete(id)
        const [first, second] = await Promise.allSettled([rival, store.finish(late)])
        assert.equal(first.status, 'fulfilled', String(first.status === 'rejected' && first.reason))
        // If delete() is first, it charges the reservation.
        const isLost = second.status === 'rejected'
        assert.ok(!isLost || (round % 2 === 1 && second.reason instanceof ConversationNotFoundError), String(isLost))
        spent += isLost ? 100n : 7n
        assert.deepEqual((await amounts(store, account)).toSpliced(1, 1), [spent, 0n, 0n, 0])
      }
      if (name !== 'memoryStore') await other.close()
    })

    test('the accounts match a simple model after any sequence of steps', async () => {
      // Each run has a store of its own.
      const property = fc.asyncProperty(fc.array(move, { minLength: 4, maxLength: 25 }), async (list) => {
        const place = make(mkdtempSync(join(folder, 'run-')), { leaseMs: 30_000, now: () => clock })
        const book = new Book(place(), clock)
        for (const each of list) await book.perform(each)
        await book.close()
      })
      const numRuns = Number(process.env.COLLOQUY_MODEL_RUNS ?? (name === 'memoryStore' ? 200 : 30))
      await fc.assert(property, { numRuns })
    })
  })
}

type Move =
  | { do: 'begin'; user: string; picoUsd: number; tokens: number }
  | { do: 'end' | 'recover' | 'late' | 'prune'; which: number; cost: number | null; tokens: number }

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    do: fc.constant('begin' as const),
    user: fc.constantFrom('', 'ada', 'bob'),
    picoUsd: fc.nat(400),
    tokens: fc.nat(200),
  }),
  fc.record({
    do: fc.constantFrom('end' as const, 'recover' as const, 'late' as const, 'prune' as const),
    which: fc.nat(20),
    cost: fc.option(fc.nat(400), { freq: 5 }),
    tokens: fc.integer({ min: 1, max: 200 }),
  }),
)

interface Entry extends Reservation {
  id: string
  handle: number
  state: 'open' | 'recovered' | 'over'
  counted: { picoUsd: bigint; tokens: bigint }
}

/** A store, and a list of its turns as the model. */
class Book {
  readonly #store: ConversationStore
  readonly #at: number
  readonly #entries: Entry[] = []

  constructor(store: ConversationStore, at: number) {
    this.#store = store
    this.#at = at
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async perform(move: Move): Promise<void> {
    if (move.do === 'begin') await this.#begin(hold(BigInt(move.picoUsd), BigInt(move.tokens), ...limitsOf(move.user)))
    else await this.#change(move)
    for (const account of [today, ada, { user: 'bob', day: '' }]) {
      const { picoUsd, tokens, held } = await this.#store.spending({ user: account.user, day: account.day })
      assert.deepEqual({ spent: { picoUsd, tokens }, held }, this.#sum(account))
    }
  }

  async #begin(wanted: Reservation): Promise<void> {
    const id = `turn ${this.#entries.length} ${Math.random()}`
    await this.#store.create({ id, title: null, settings: '{}', at: this.#at })
    const fits = wanted.accounts.every((account) => {
      const { spent, held } = this.#sum(account)
      return (['picoUsd', 'tokens'] as const).every(
        (unit) => spent[unit] + held[unit] + wanted[unit] <= (account.most[unit] ?? 10_000n),
      )
    })
    const begin = this.#store.begin({ id, version: 1, parent: 0, messages: [], reservation: wanted, at: this.#at })
    if (!fits) return assert.rejects(begin, BudgetError)
    const begun = await begin
    assert.ok(!begun.repeated)
    const counted = { picoUsd: 0n, tokens: 0n }
    this.#entries.push({ ...wanted, id, handle: begun.handle, state: 'open', counted })
  }

  async #change({ do: what, which, cost, tokens }: Extract<Move, { which: number }>): Promise<void> {
    const wanted = what === 'late' ? 'recovered' : 'open'
    const entry = this.#entries.filter(({ state }) => state === wanted)[which]
    if (entry === undefined) return
    const { id, handle, accounts } = entry
    if (what === 'prune') {
      await this.#store.delete(id)
      Object.assign(entry, { state: 'over', counted: { picoUsd: entry.picoUsd, tokens: entry.tokens } })
      return
    }
    // A late reply always has a price here: without one, the charge of the recovered reply stays.
    const price = what === 'late' ? (cost ?? 7) : (cost ?? (what === 'end' ? null : 7))
    const step = { id, handle, json: '{}', received: null, reply: reply(price, tokens), at: this.#at, accounts }
    const recovering = what === 'recover'
    await this.#store.finish({ ...step, state: recovering ? 'interrupted' : 'committed', recovering })
    const picoUsd = price === null ? entry.picoUsd : BigInt(price)
    Object.assign(entry, { state: recovering ? 'recovered' : 'over', counted: { picoUsd, tokens: BigInt(tokens) } })
  }

  #sum({ user, day }: Account): { spent: Entry['counted']; held: Entry['counted'] } {
    const spent = { picoUsd: 0n, tokens: 0n }
    const held = { picoUsd: 0n, tokens: 0n }
    for (const { accounts, state, counted, picoUsd, tokens } of this.#entries) {
      if (!accounts.some((account) => account.user === user && account.day === day)) continue
      spent.picoUsd += counted.picoUsd
      spent.tokens += counted.tokens
      if (state === 'open') held.picoUsd += picoUsd
      if (state === 'open') held.tokens += tokens
    }
    return { spent, held }
  }
}

function limitsOf(user: string): LimitedAccount[] {
  if (user === '') return [today]
  return [today, { user, day: '', most: { tokens: 300n } }]
}

function hold(picoUsd: bigint, tokens: bigint, ...accounts: LimitedAccount[]): Reservation {
  return { picoUsd, tokens, accounts }
}

function reply(picoUsd: number | null, tokens: number): string {
  const usage = { input_tokens: tokens - 1, output_tokens: 1 }
  return JSON.stringify({ message: { usage }, cost_pico_usd: picoUsd })
}

async function amounts(store: ConversationStore, { user, day }: Account): Promise<unknown[]> {
  const { picoUsd, tokens, held, unpriced }: Spending = await store.spending({ user, day })
  return [picoUsd, tokens, held.picoUsd, held.tokens, unpriced]
}
