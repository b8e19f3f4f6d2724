import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { storePlaces } from '../../../../../test/stores.ts'
import { copyRecord, newRecord } from '../history/records.ts'
import { ConversationConflictError, ConversationExistsError, ConversationNotFoundError } from '../errors.ts'
import type { BegunTurn, ConversationStore, FinishStep, ListQuery, MessageRecord } from './store.ts'

// The contract of every store. Each test gets a new, empty store.
for (const [name, make] of Object.entries(storePlaces())) {
  describe(name, () => {
    let folder: string
    let store: ConversationStore
    let reopen: () => ConversationStore
    let clock: number

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
      clock = 1_000
      reopen = make(folder, { leaseMs: 30_000, now: () => clock })
      store = reopen()
    })

    afterEach(async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    })

    async function create(id = 'one'): Promise<void> {
      await store.create({ id, title: null, settings: '{"model":"m"}', at: ++clock })
    }

    async function placeOf(id: string): Promise<{ id: string; updatedAt: number }> {
      return (await store.open(id))!.conversation
    }

    async function begin(version: number, parent: number, text?: string, key?: string): Promise<BegunTurn> {
      const messages = text === undefined ? [] : [{ role: 'user', json: `{"role":"user","content":"${text}"}` }]
      const begun = await store.begin({ id: 'one', version, parent, messages, key, at: ++clock })
      assert.ok(!begun.repeated)
      return begun
    }

    function end({ handle }: BegunTurn, text: string, more: Partial<FinishStep> = {}): Promise<{ number: number }> {
      const json = `{"role":"assistant","content":"${text}"}`
      const reply = `{"cost_pico_usd":${text.length}}`
      return store.finish({ id: 'one', handle, state: 'committed', json, received: null, reply, at: ++clock, ...more })
    }

    /** Takes one turn for each text, and returns the version. */
    async function talk(...texts: string[]): Promise<number> {
      let version = 1
      let parent = 0
      for (const text of texts) {
        const begun = await begin(version, parent, text)
        parent = (await end(begun, `re ${text}`)).number
        version = begun.version
      }
      return version
    }

    async function versionOf(): Promise<number | undefined> {
      return (await store.open('one', { messages: false }))?.conversation.version
    }

    async function pathTo(leaf: number): Promise<number[]> {
      return (await store.path('one', leaf)).map(({ number }) => number)
    }

    test('open() returns the conversation that create() added, or undefined', async () => {
      await store.create({ id: 'one', title: 'A title', settings: '{"model":"m"}', at: 5 })
      const opened = await store.open('one')
      assert.deepEqual(
        { ...opened?.conversation },
        {
          id: 'one',
          owner: null,
          metadata: null,
          shelf: null,
          version: 1,
          head: 0,
          last: 0,
          createdAt: 5,
          updatedAt: 5,
          title: 'A title',
          settings: '{"model":"m"}',
        },
      )
      assert.deepEqual([opened?.messages, opened?.offPathReplies, opened?.unfinished], [[], [], []])
      assert.equal(await store.open('two'), undefined)
    })

    test('create() refuses an id that is taken and changes nothing', async () => {
      await create()
      const other = { id: 'one', owner: 'bob', metadata: '{}', title: 'T', settings: '{"x":1}', at: 9 }
      await assert.rejects(store.create(other), new ConversationExistsError('one'))
      const { conversation } = (await store.open('one'))!
      assert.deepEqual([conversation.owner, conversation.metadata, conversation.title], [null, null, null])
      assert.equal(conversation.settings, '{"model":"m"}')
    })

    test('messages() fails if the conversation is deleted meanwhile, and reads no other one in its place', async () => {
      const json = '{"role":"user","content":"hi"}'
      const messages = Array.from({ length: 150 }, (_, index) =>
        newRecord({ number: index + 1, parent: index, role: 'user', createdAt: 1, json }),
      )
      const create = (id: string, at: number): Promise<unknown> =>
        store.create({ id, title: null, settings: '{}', at, messages, head: 150 })
      for (const next of ['two', 'one']) {
        await create('one', 1)
        const reading = store.messages('one')[Symbol.asyncIterator]()
        await reading.next()
        await store.delete('one')
        await create(next, 2)
        const readRest = async (): Promise<void> => {
          while (!(await reading.next()).done) continue
        }
        await assert.rejects(readRest, new ConversationNotFoundError('one'))
        await store.delete(next)
      }
    })

    for (const [how, isOther] of [
      ['delete', true],
      ['delete', false],
      ['prune', true],
      ['prune', false],
    ] as const) {
      const whose = isOther ? "another process's" : 'a later one'
      test(`an abandoned reply that ${how}() erased is never ended in the place of ${whose}`, async () => {
        await create('two')
        await create()
        const here = store
        store = reopen()
        const [lost, waiting] = [await begin(1, 0, 'lost'), await begin(2, 0, 'waits for tools')]
        await end(waiting, 'calls', { continues: true })
        const there = store
        store = here
        clock += 60_000
        const { unfinished } = (await store.open('one'))!
        assert.deepEqual(
          unfinished.map(({ abandoned, number }) => [abandoned, number]),
          [
            [true, lost.reply],
            [true, waiting.reply],
          ],
        )
        if (how === 'delete') await store.delete('one')
        else for (const { first } of [waiting, lost]) await store.prune('one', (await versionOf())!, first)
        const messages = [{ role: 'user', json: '{"role":"user","content":"other"}' }]
        const id = how === 'delete' ? 'two' : 'one'
        const { version } = (await store.open(id))!.conversation
        const begins = isOther ? there : here
        const one = (await begins.begin({ id, version, parent: 0, messages, at: ++clock })) as BegunTurn
        const two = { id, version: one.version, parent: 0, messages, at: ++clock }
        const { handle } = (await begins.begin(two)) as BegunTurn
        await begins.finish({
          id,
          handle,
          state: 'committed',
          json: '{}',
          received: null,
          reply: '{}',
          at: 1,
          continues: true,
        })
        const leased = async (): Promise<unknown> =>
          (await store.open(id))!.unfinished.map(({ number, awaitsTools }) => [number, awaitsTools])
        const before = await leased()
        for (const { handle, awaitsTools } of unfinished) {
          if (awaitsTools) await store.release(handle)
          else
            await assert.rejects(end({ handle } as BegunTurn, 'lost', { recovering: true }), ConversationNotFoundError)
        }
        assert.deepEqual(await leased(), before)
        if (there !== here) await there.close()
      })
    }

    test('delete() keeps a conversation that was used since', async () => {
      await store.create({ id: 'one', title: null, settings: '{}', at: 5 })
      assert.equal(await store.delete('one', { usedBefore: 5 }), false)
      assert.equal(await store.delete('one', { usedBefore: 6 }), true)
      assert.equal(await store.delete('one', { usedBefore: 6 }), false)
    })

    for (const how of ['delete', 'prune'] as const) {
      test(`a reply that ${how}() erased never ends in the place of another one`, async () => {
        await create('two')
        await create()
        const version = await talk('kept')
        const erased = await begin(version, 2, 'erased')
        if (how === 'delete') await store.delete('one')
        else await store.prune('one', erased.version, erased.first)
        const message = { role: 'user', json: '{"role":"user","content":"other"}' }
        const begun: BegunTurn[] = []
        for (const at of [1, 2, 3]) {
          const turn = await store.begin({ id: 'two', version: at, parent: 0, messages: [message], at: ++clock })
          assert.ok(!turn.repeated)
          begun.push(turn)
        }
        assert.equal(await store.journal({ handle: erased.handle, index: 0, json: '["erased"]', at: ++clock }), false)
        await assert.rejects(end(erased, 'of another conversation'), ConversationNotFoundError)
        await store.release(erased.handle)
        const { unfinished } = (await store.open('two'))!
        assert.deepEqual(
          unfinished.map(({ journal }) => journal),
          [[], [], []],
        )
        for (const turn of begun) await end(turn, 'fine', { id: 'two' })
        const { messages, conversation } = (await store.open('two'))!
        const jsons = [message.json, '{"role":"assistant","content":"fine"}']
        assert.deepEqual([messages.map(({ json }) => json), conversation.last], [jsons, 6])
      })
    }

    test('create() of one id by two processes at once succeeds once', async () => {
      const tries = await Promise.allSettled([create('two'), create('two'), create('two')])
      assert.deepEqual(tries.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected', 'rejected'])
    })

    test('update() changes the owner and the metadata, and sets them to null', async () => {
      await store.create({ id: 'one', owner: 'ada', metadata: '{"a":1}', title: null, settings: '{}', at: 5 })
      const read = async (): Promise<(string | null)[]> => {
        const { owner, metadata } = (await store.open('one'))!.conversation
        return [owner, metadata]
      }
      assert.deepEqual(await read(), ['ada', '{"a":1}'])
      await store.update('one', 1, { metadata: '{"b":2}', at: 6 })
      assert.deepEqual(await read(), ['ada', '{"b":2}'])
      await store.update('one', 2, { owner: null, metadata: null, at: 7 })
      assert.deepEqual(await read(), [null, null])
      await store.update('one', 3, { owner: 'bob', metadata: '{}', at: 8 })
      await store.update('one', 4, { title: 'T', at: 9 })
      assert.deepEqual(await read(), ['bob', '{}'])
    })

    test('update() moves a conversation to a shelf and away, and list() finds those of one', async () => {
      await store.create({ id: 'one', shelf: 'archived', title: null, settings: '{}', at: 1 })
      for (const id of ['two', 'three', 'four']) await store.create({ id, title: null, settings: '{}', at: 2 })
      await store.update('two', 1, { shelf: 'pinned', at: 2 })
      await store.update('three', 1, { shelf: 'pinned', at: 2 })
      assert.equal((await store.open('two'))!.conversation.shelf, 'pinned')
      await store.update('three', 2, { title: 'T', at: 2 })
      const listed = async (query: Partial<ListQuery>): Promise<(string | null)[][]> =>
        (await store.list({ limit: 9, ...query })).map(({ id, shelf }) => [id, shelf])
      assert.deepEqual(await listed({ shelf: 'pinned' }), [
        ['three', 'pinned'],
        ['two', 'pinned'],
      ])
      assert.deepEqual(await listed({ shelf: 'pinned', before: await placeOf('three') }), [['two', 'pinned']])
      assert.deepEqual(await listed({ shelf: 'archived' }), [['one', 'archived']])
      assert.deepEqual(await listed({ shelf: 'none' }), [['four', null]])
      await store.update('two', 2, { shelf: null, at: 2 })
      assert.equal((await store.open('two'))!.conversation.shelf, null)
      assert.deepEqual(await listed({ shelf: 'none', before: await placeOf('four') }), [['two', null]])
      assert.equal((await listed({})).length, 4)
    })

    test('list() finds the conversations whose titles contain a text, in upper or lower case', async () => {
      const titles = {
        one: 'Ein ÉTÉ in Köln',
        two: 'a*b [c] 100%_?',
        three: 'Straße \\d+ (x)',
        four: null,
        five: 'ΟΔΟΣ µ ΚΑΙ',
      }
      for (const [id, title] of Object.entries(titles)) await store.create({ id, title, settings: '{}', at: ++clock })
      const listed = async (title: string, more: Partial<ListQuery> = {}): Promise<string> =>
        (await store.list({ limit: 9, title, ...more })).map(({ id }) => id).join(' ')
      assert.deepEqual(
        await Promise.all(['été', 'IN kÖ', 'a*B', '[C] 1', '0%_?', '\\D+ (X', 'STRAß'].map((title) => listed(title))),
        ['one', 'one', 'two', 'two', 'two', 'three', 'three'],
      )
      for (const title of ['οδος', 'ΔΟΣ', 'σ μ', 'ς Μ', 'και']) assert.equal(await listed(title), 'five', title)
      for (const title of ['a.b', '[x]', 'd++', '^', ']]', 'nowhere']) assert.equal(await listed(title), '', title)
      assert.deepEqual([await listed('e'), await listed('e', { before: await placeOf('three') })], ['three one', 'one'])
    })

    test('create() adds the messages of a copy', async () => {
      const messages: MessageRecord[] = [
        {
          number: 1,
          parent: 0,
          role: 'user',
          state: 'committed',
          createdAt: 1,
          json: '{"content":"u"}',
          received: null,
          reply: null,
        },
        {
          number: 4,
          parent: 1,
          role: 'assistant',
          state: 'interrupted',
          createdAt: 2,
          json: '{"content":"a"}',
          received: '{"content":"r"}',
          reply: '{}',
        },
      ]
      await store.create({ id: 'one', title: null, settings: '{}', at: 5, messages, head: 4 })
      const opened = await store.open('one')
      assert.deepEqual(opened?.messages.map(plain), messages)
      assert.deepEqual([opened?.conversation.head, opened?.conversation.last], [4, 4])
    })

    test('a turn is pending, then streaming, then committed', async () => {
      await create()
      const begun = await begin(1, 0, 'hello')
      assert.deepEqual([begun.version, begun.first, begun.reply], [2, 1, 2])
      assert.deepEqual(await states(store), ['committed', 'pending'])
      await store.journal({ handle: begun.handle, index: 0, json: '[1]', at: clock })
      assert.deepEqual(await states(store), ['committed', 'streaming'])
      await end(begun, 'hi')
      assert.deepEqual(await states(store), ['committed', 'committed'])
      const opened = await store.open('one')
      assert.deepEqual(
        opened?.messages.map(({ json }) => json),
        ['{"role":"user","content":"hello"}', '{"role":"assistant","content":"hi"}'],
      )
      assert.deepEqual(opened?.unfinished, [])
      assert.equal(opened?.conversation.head, 2)
    })

    test('texts are read back exactly, with NUL, lone surrogates and odd JSON', async () => {
      await create()
      const json = JSON.stringify({ role: 'user', content: '\0 \ud800 \udc00 😀 \u2028 "\\' })
      const begun = await store.begin({ id: 'one', version: 1, parent: 0, messages: [{ role: 'user', json }], at: 2 })
      assert.ok(!begun.repeated)
      const exact = '{"content":[{"input":{ "b":1.0, "a":12345678901234567890, "10":0, "2":0 }}]} '
      await end(begun, '', { json: exact, received: ` ${exact}` })
      const opened = await store.open('one')
      assert.equal(opened?.messages[0]?.json, json)
      assert.equal(opened?.messages[1]?.json, exact)
      assert.equal(opened?.messages[1]?.received, ` ${exact}`)
    })

    test('begin() refuses a writer with an old version and tells it the head', async () => {
      await create()
      await talk('hello')
      await assert.rejects(begin(1, 0, 'too late'), (error) => {
        assert.ok(error instanceof ConversationConflictError)
        assert.deepEqual([error.conversationId, error.reason, error.head], ['one', 'moved', '2'])
        return true
      })
      assert.equal((await store.tree('one')).length, 2)
    })

    test('begin() refuses an unknown parent or conversation', async () => {
      await create()
      await assert.rejects(begin(1, 7, 'hello'), new ConversationNotFoundError('one', '7'))
      await assert.rejects(
        store.begin({ id: 'two', version: 1, parent: 0, messages: [], at: 1 }),
        new ConversationNotFoundError('two'),
      )
      assert.deepEqual(await store.tree('one'), [])
    })

    test('begin() with a used key returns the first turn', async () => {
      await create()
      await end(await begin(1, 0, 'hello', 'k'), 'hi')
      const again = await store.begin({ id: 'one', version: 1, parent: 0, messages: [], key: 'k', at: 9 })
      assert.ok(again.repeated)
      assert.deepEqual([again.message, again.reply.number, again.reply.state], [1, 2, 'committed'])
      assert.equal((await store.find('one', 'k'))?.message, 1)
      assert.equal(await store.find('one', 'other'), undefined)
      assert.equal((await store.tree('one')).length, 2)
      await begin(2, 2, 'more', 'another')
    })

    test('begin() sets the title only if there is none', async () => {
      await create()
      await store.begin({ id: 'one', version: 1, parent: 0, messages: [], title: 'First', at: 1 })
      await store.begin({ id: 'one', version: 2, parent: 0, messages: [], title: 'Second', at: 1 })
      assert.equal((await store.open('one'))?.conversation.title, 'First')
    })

    test('path() follows every fork', async () => {
      await create()
      let version = await talk('a', 'b', 'c') // 1–6
      const retried = await begin(version, 3) // 7 answers 3
      await end(retried, 'again')
      version = (await begin(retried.version, 7, 'd')).version // 8, 9
      const edited = await begin(version, 2, 'b, edited') // 10, 11 follow 2
      await end(edited, 'ok')
      const root = await begin(edited.version, 0, 'from the beginning') // 12, 13
      assert.deepEqual(await pathTo(6), [1, 2, 3, 4, 5, 6])
      assert.deepEqual(await pathTo(9), [1, 2, 3, 7, 8, 9])
      assert.deepEqual(await pathTo(11), [1, 2, 10, 11])
      assert.deepEqual(await pathTo(root.reply), [12, 13])
      assert.deepEqual(await pathTo(4), [1, 2, 3, 4])
      assert.deepEqual(await pathTo(0), [])
      assert.deepEqual(
        (await store.tree('one')).map(({ parent }) => parent),
        [0, 1, 2, 3, 4, 5, 3, 7, 8, 2, 10, 0, 12],
      )
    })

    test('open() returns replies off the path, because their cost counts', async () => {
      await create()
      const begun = await begin(await talk('hello'), 1)
      await end(begun, 'again')
      const opened = await store.open('one')
      assert.deepEqual(
        opened?.messages.map(({ number }) => number),
        [1, 3],
      )
      assert.deepEqual(opened?.offPathReplies, ['{"cost_pico_usd":8}'])
    })

    test('open() without messages returns the rest', async () => {
      await create()
      await end(await begin(await talk('hello'), 1), 'again')
      await begin(3, 3, 'more')
      assert.deepEqual(await store.open('one', { messages: false }), {
        ...(await store.open('one')),
        messages: [],
        offPathReplies: [],
      })
      assert.equal(await store.open('two', { messages: false }), undefined)
    })

    test('a turn is abandoned when its lease ends, unless journal() extends it', async () => {
      await create()
      const { handle } = await begin(1, 0, 'hello')
      await store.journal({ handle, index: 0, json: '[1]', at: clock })
      await store.journal({ handle, index: 1, json: '[2]', at: clock })
      clock += 29_000
      await store.journal({ handle, index: 2, json: '', at: clock })
      clock += 29_000
      const [live] = (await store.open('one'))!.unfinished
      assert.deepEqual([live?.number, live?.parent, live?.abandoned, live?.journal], [2, 1, false, ['[1]', '[2]']])
      clock += 2_000
      const [silent] = (await store.open('one'))!.unfinished
      assert.equal(silent?.abandoned, true)
    })

    test('finish() with continues keeps the lease until release(), or until it is abandoned', async () => {
      await create()
      const begun = await begin(1, 0, 'hello')
      await end(begun, 'look', { continues: true })
      assert.deepEqual(await states(store), ['committed', 'committed'])
      const leases = async (): Promise<unknown[]> => {
        const { unfinished } = (await store.open('one'))!
        return unfinished.map(({ number, awaitsTools, abandoned, journal }) => [
          number,
          awaitsTools,
          abandoned,
          journal,
        ])
      }
      assert.deepEqual(await leases(), [[2, true, false, []]])
      assert.equal((await store.list({ limit: 1 }))[0]?.receiving, 2)
      assert.equal(await store.received('one', 2, 0), undefined)
      clock += 29_000
      assert.equal(await store.journal({ handle: begun.handle, index: 0, json: '', at: clock }), false)
      clock += 29_000
      assert.deepEqual(await leases(), [[2, true, false, []]])
      assert.deepEqual(await store.stop('one'), [2])
      assert.equal(await store.journal({ handle: begun.handle, index: 0, json: '', at: clock }), true)
      const next = await begin(begun.version, 2, 'results')
      assert.deepEqual(
        (await store.open('one'))!.unfinished.map(({ number, awaitsTools }) => [number, awaitsTools]),
        [
          [2, true],
          [4, false],
        ],
      )
      // The lease of a reply that is being received cannot be released.
      assert.equal(await store.release(next.handle), false)
      assert.equal(await store.release(begun.handle), true)
      assert.equal(await store.release(begun.handle), false)
      assert.equal(await store.journal({ handle: begun.handle, index: 0, json: '', at: clock }), false)
      assert.deepEqual(await leases(), [[4, false, false, []]])
      await end(next, 'again', { continues: true })
      clock += 31_000
      assert.deepEqual(await leases(), [[4, true, true, []]])
    })

    test('finish() with recovering writes a reply only once', async () => {
      await create()
      const begun = await begin(1, 0, 'hello')
      await end(begun, 'part', { state: 'interrupted', recovering: true })
      await end(begun, 'part', { state: 'interrupted', recovering: true })
      assert.deepEqual(await states(store), ['committed', 'interrupted'])
    })

    test('finish() adds a reply that was taken for abandoned beside the recovered one', async () => {
      await create()
      const begun = await begin(1, 0, 'hello')
      await end(begun, 'part', { state: 'interrupted', recovering: true })
      assert.deepEqual(await end(begun, 'whole'), { number: 3 })
      const opened = await store.open('one')
      assert.deepEqual(
        opened?.messages.map(({ number, json }) => [number, json]),
        [
          [1, '{"role":"user","content":"hello"}'],
          [3, '{"role":"assistant","content":"whole"}'],
        ],
      )
      assert.equal(opened?.conversation.version, begun.version + 1)
    })

    test('finish() sent a second time stores nothing, as if its first result was lost', async () => {
      await create()
      const begun = await begin(1, 0, 'hello')
      const at = ++clock
      assert.equal((await end(begun, 'whole', { at })).number, 2)
      if (name !== 'memoryStore') {
        assert.equal((await end(begun, 'whole', { at })).number, 2)
        assert.equal((await end(begun, 'whole', { at, recovering: true })).number, 2)
      }
      // The same for a reply that was taken for abandoned.
      const second = await begin(begun.version, 2, 'hello again')
      await end(second, 'part', { state: 'interrupted', recovering: true })
      const late = ++clock
      assert.equal((await end(second, 'whole', { at: late })).number, 5)
      const before = await store.open('one')
      // The memory store has forgotten the reply: it cannot lose the result of a call.
      if (name !== 'memoryStore') assert.equal((await end(second, 'whole', { at: late })).number, 5)
      assert.deepEqual(await store.open('one'), before)
      assert.deepEqual(
        (await store.tree('one')).map(({ state }) => state),
        ['committed', 'committed', 'committed', 'interrupted', 'committed'],
      )
    })

    test('a summary is off the path, is not searched, and is erased with its parent', async () => {
      await create()
      const version = await talk('hello', 'sunny', 'bye')
      const place = { id: 'one', version, parent: 2, messages: [], role: 'summary' as const, at: ++clock }
      const begun = await store.begin(place)
      assert.ok(!begun.repeated)
      assert.equal((await store.open('one'))!.conversation.head, 6)
      await end(begun, 'a sunny summary')
      const { conversation, messages, offPathReplies } = (await store.open('one'))!
      assert.deepEqual([conversation.head, messages.length, offPathReplies.length], [6, 6, 1])
      const [summary] = await store.read('one', [begun.reply])
      assert.deepEqual([summary!.role, summary!.parent, summary!.state], ['summary', 2, 'committed'])
      assert.deepEqual(
        (await store.search(['sunny'], { limit: 9 })).map(({ number }) => number),
        [4, 3],
      )
      // Another process takes it for abandoned, and it ends after all.
      const late = await store.begin({ ...place, version: begun.version })
      assert.ok(!late.repeated)
      clock += 60_000
      await end(late, 'cut', { state: 'interrupted', recovering: true })
      const { number } = await end(late, 'whole')
      assert.deepEqual(
        (await store.read('one', [number])).map(({ role, parent }) => [role, parent]),
        [['summary', 2]],
      )
      const { version: newest } = (await store.open('one'))!.conversation
      await store.prune('one', newest, 2)
      assert.deepEqual(
        (await store.tree('one')).map(({ number: left }) => left),
        [1],
      )
    })

    test('journal() does nothing after the reply has ended', async () => {
      await create()
      const begun = await begin(1, 0, 'hello')
      await end(begun, 'hi')
      await store.journal({ handle: begun.handle, index: 0, json: '[1]', at: clock })
      assert.deepEqual(await states(store), ['committed', 'committed'])
      assert.deepEqual((await store.open('one'))?.unfinished, [])
    })

    test('received() reads the journal from a part on, until the reply has ended', async () => {
      await create()
      assert.equal(await store.received('one', 2, 0), undefined)
      const begun = await begin(1, 0, 'hello')
      assert.deepEqual({ ...(await store.received('one', begun.reply, 0)) }, { parts: [], abandoned: false })
      for (const [index, json] of ['[1]', '[2]', '[3]'].entries()) {
        assert.equal(await store.journal({ handle: begun.handle, index, json, at: clock }), false)
      }
      assert.deepEqual((await store.received('one', begun.reply, 1))?.parts, ['[2]', '[3]'])
      clock += 31_000
      assert.equal((await store.received('one', begun.reply, 3))?.abandoned, true)
      await end(begun, 'hi')
      assert.equal(await store.received('one', begun.reply, 0), undefined)
      assert.equal(await store.received('two', 1, 0), undefined)
    })

    test('stop() makes journal() return true, for the replies of its conversation only', async () => {
      await create()
      await create('two')
      assert.deepEqual(await store.stop('one'), [])
      const begun = await begin(1, 0, 'hello')
      const step = { handle: begun.handle, index: 0, json: '', at: clock }
      await store.stop('two')
      assert.equal(await store.journal(step), false)
      assert.deepEqual(await store.stop('one'), [begun.reply])
      assert.equal(await store.journal(step), true)
      assert.equal(await store.journal({ ...step, json: '[1]' }), true)
      await end(begun, 'hi')
      assert.deepEqual(await store.stop('one'), [])
      await assert.rejects(store.stop('three'), new ConversationNotFoundError('three'))
    })

    test('list() tells the version and the reply in flight of each conversation', async () => {
      await create()
      const [before] = await store.list({ limit: 1 })
      assert.deepEqual([before?.version, before?.receiving], [1, null])
      const begun = await begin(1, 0, 'hello')
      const [during] = await store.list({ limit: 1, totals: false })
      assert.deepEqual([during?.version, during?.receiving], [2, begun.reply])
      clock += 31_000
      assert.equal((await store.list({ limit: 1 }))[0]?.receiving, null)
      await end(begun, 'hi')
      assert.equal((await store.list({ limit: 1 }))[0]?.receiving, null)
    })

    test('stamp() changes with every change, and only then', async () => {
      if (store.stamp === undefined) return
      await create()
      const [first, same] = [await store.stamp(), await store.stamp()]
      assert.equal(first, same)
      await begin(1, 0, 'hello')
      assert.notEqual(await store.stamp(), first)
    })

    test('update() changes the given fields if the version is the latest', async () => {
      await create()
      const version = await talk('a', 'b')
      assert.equal(await store.update('one', version, { head: 2, at: 50 }), version + 1)
      assert.equal(await store.update('one', version + 1, { title: 'T', settings: '{"x":1}', at: 60 }), version + 2)
      const opened = await store.open('one')
      assert.deepEqual(
        [opened?.conversation.head, opened?.conversation.title, opened?.conversation.settings],
        [2, 'T', '{"x":1}'],
      )
      assert.deepEqual(
        opened?.messages.map(({ number }) => number),
        [1, 2],
      )
      await assert.rejects(store.update('one', version, { title: 'no', at: 70 }), ConversationConflictError)
      await assert.rejects(
        store.update('one', version + 2, { head: 9, at: 70 }),
        new ConversationNotFoundError('one', '9'),
      )
    })

    test('read() returns messages by number and skips unknown ones', async () => {
      await create()
      await talk('a', 'b')
      assert.deepEqual(
        (await store.read('one', [4, 1, 9])).map(({ number }) => number),
        [1, 4],
      )
    })

    test('messages() reads many pages', async () => {
      await create()
      await talk(...Array.from({ length: 120 }, (_, index) => `${index}`))
      const numbers = (await Array.fromAsync(store.messages('one'))).map(({ number }) => number)
      assert.deepEqual(
        numbers,
        Array.from({ length: 240 }, (_, index) => index + 1),
      )
    })

    test('prune() erases a message and its descendants, and moves the head', async () => {
      await create()
      const version = await talk('a', 'b')
      const begun = await begin(version, 1)
      await end(begun, 'kept')
      await store.update('one', begun.version, { head: 4, at: 1 })
      await store.prune('one', begun.version + 1, 2)
      assert.deepEqual(
        (await store.tree('one')).map(({ number }) => number),
        [1, 5],
      )
      assert.equal((await store.open('one'))?.conversation.head, 1)
      const next = await begin(begun.version + 2, 5, 'on')
      assert.deepEqual([next.first, next.reply], [6, 7])
      assert.deepEqual(await pathTo(7), [1, 5, 6, 7])
    })

    test('prune() keeps the billing data of erased replies and nothing else', async () => {
      await create()
      const usage = { input_tokens: 7, output_tokens: 3 }
      const message = { id: 'msg_1', model: 'm', usage, stop_details: { explanation: 'what was said' } }
      const paid = JSON.stringify({ message, cost_pico_usd: 12, summary: { upTo: 1, text: 'what was said' } })
      const begun = await begin(1, 0, 'hello')
      await end(begun, 'hi', { reply: paid })
      const estimated = await begin(begun.version, 1)
      await end(estimated, 'h', { reply: JSON.stringify({ message, cost_pico_usd: null, estimated: true }) })
      const free = await begin(estimated.version, 1)
      await end(free, 'copied', { reply: JSON.stringify({ message, cost_pico_usd: 12, unpaid: true }) })
      await end(await begin(free.version, 1), 'failed', { reply: '{"error":{"name":"Error","message":"no"}}' })
      await store.prune('one', free.version + 1, 1)
      const { offPathReplies } = (await store.open('one'))!
      const told = offPathReplies.map((json) => JSON.parse(json) as Record<string, unknown>)
      assert.deepEqual(
        told
          .map(({ estimated: is, ...numbers }) => ({ ...numbers, is: is ?? false }))
          .toSorted((one, other) => Number(one.is) - Number(other.is)),
        [
          { message: { usage }, cost_pico_usd: 12, is: false },
          { message: { usage }, cost_pico_usd: null, is: true },
        ],
      )
      await store.delete('one')
      await create()
      assert.deepEqual((await store.open('one'))!.offPathReplies, [])
    })

    test('prune() of the last reply lets its key be used again', async () => {
      await create()
      const first = await begin(1, 0, 'hello', 'k')
      await end(first, 'hi')
      const second = await begin(first.version, 1)
      await end(second, 'hi again')
      const version = await store.prune('one', second.version, 2)
      assert.equal((await store.find('one', 'k'))?.reply.number, 3)
      await store.prune('one', version, 3)
      assert.equal(await store.find('one', 'k'), undefined)
      await begin(version + 1, 1, 'hello again', 'k')
      assert.equal((await store.find('one', 'k'))?.message, 4)
    })

    test('list() returns pages, the last used first', async () => {
      for (const id of ['one', 'two', 'three']) await create(id)
      await talk('hello')
      assert.deepEqual(
        (await store.list({ limit: 2 })).map(({ id }) => id),
        ['one', 'three'],
      )
      assert.deepEqual(
        (await store.list({ limit: 2, before: await placeOf('three') })).map(({ id }) => id),
        ['two'],
      )
      assert.equal((await store.list({ limit: 1 }))[0]?.messages, 2)
    })

    test('list() returns each conversation once in pages, also those of one millisecond', async () => {
      const ids = ['d', 'a', 'c', 'b', 'e']
      for (const id of ids) await store.create({ id, owner: null, metadata: null, title: null, settings: '{}', at: 1 })
      const listed: string[] = []
      for (let page = await store.list({ limit: 2 }); page.length > 0;) {
        listed.push(...page.map(({ id }) => id))
        page = await store.list({ limit: 2, before: page.at(-1) })
      }
      assert.deepEqual(listed, ids.toReversed())
    })

    test('list() continues after a conversation that was used or deleted meanwhile', async () => {
      const ids = ['one', 'two', 'three', 'four', 'five']
      // Two were used in the same millisecond as the last one of the page.
      for (const [index, id] of ids.entries())
        await store.create({ id, title: null, settings: '{}', at: index === 0 ? 1 : 2 })
      const after = async (before: ListQuery['before']): Promise<string[]> =>
        (await store.list({ limit: 9, before })).map(({ id }) => id)
      const place = await placeOf('four')
      assert.deepEqual(await after(place), ['three', 'two', 'one'])
      await store.update('four', 1, { title: 'Used', at: 9 })
      assert.deepEqual(await after(place), ['three', 'two', 'one'])
      await store.delete('four')
      assert.deepEqual(await after(place), ['five', 'three', 'two', 'one'])
      assert.deepEqual(await after({ id: 'four', updatedAt: 1 }), ['one'])
    })

    test('create() takes the time of the last use, by which list() sorts', async () => {
      const added = { title: null, settings: '{}', at: 1 }
      const { createdAt, updatedAt } = await store.create({ ...added, id: 'old', usedAt: 5 })
      assert.deepEqual([createdAt, updatedAt], [1, 5])
      await store.create({ ...added, id: 'new', usedAt: 7 })
      await store.create({ ...added, id: 'unused' })
      const listed = (await store.list({ limit: 9 })).map((each) => [each.id, each.createdAt, each.updatedAt])
      assert.deepEqual(listed, [
        ['new', 1, 7],
        ['old', 1, 5],
        ['unused', 1, 1],
      ])
    })

    test('list() and search() return only the conversations of an owner, or used before a time', async () => {
      const owners = { one: 'ada', two: 'bob', three: 'ada', four: null }
      for (const [id, owner] of Object.entries(owners)) {
        await store.create({ id, owner, metadata: `{"id":"${id}"}`, title: null, settings: '{}', at: ++clock })
        const messages = [{ role: 'user', json: `{"role":"user","content":"a sunny day in ${id}"}` }]
        await store.begin({ id, version: 1, parent: 0, messages, at: ++clock })
      }
      const listed = async (query: Partial<ListQuery>): Promise<string[]> =>
        (await store.list({ limit: 9, ...query })).map(({ id }) => id)
      assert.deepEqual(await listed({}), ['four', 'three', 'two', 'one'])
      assert.deepEqual(await listed({ owner: 'ada' }), ['three', 'one'])
      assert.deepEqual(await listed({ owner: 'ada', limit: 1 }), ['three'])
      assert.deepEqual(await listed({ owner: 'ada', before: await placeOf('three') }), ['one'])
      assert.deepEqual(await listed({ owner: 'eve' }), [])
      const { updatedAt } = await placeOf('three')
      assert.deepEqual(await listed({ usedBefore: updatedAt }), ['two', 'one'])
      assert.deepEqual(await listed({ usedBefore: updatedAt, owner: 'bob', before: await placeOf('four') }), ['two'])
      const [first] = await store.list({ limit: 1, owner: 'bob' })
      assert.deepEqual([first?.owner, first?.metadata], ['bob', '{"id":"two"}'])
      const found = async (owner?: string): Promise<string[]> =>
        (await store.search(['sunny'], { limit: 9, owner })).map(({ conversationId }) => conversationId)
      assert.deepEqual(await found(), ['four', 'three', 'two', 'one'])
      assert.deepEqual(await found('ada'), ['three', 'one'])
      assert.deepEqual(await found('eve'), [])
      assert.deepEqual(
        (await store.search(['su'], { limit: 1, owner: 'bob' })).map(({ conversationId }) => conversationId),
        ['two'],
      )
    })

    test('list() adds up the paid replies of all branches, erased and late ones included', async () => {
      const paid = (cost: number | null, more: object = {}): { reply: string } => {
        const message = { usage: { input_tokens: 7, output_tokens: 3 } }
        return { reply: JSON.stringify({ message, cost_pico_usd: cost, ...more }) }
      }
      const totals = async (): Promise<unknown[]> => {
        const [listed] = await store.list({ limit: 1 })
        const { calls, picoUsd, tokens, unpriced, estimated } = listed!.totals!
        return [calls, picoUsd, tokens, unpriced, estimated]
      }
      await create()
      assert.deepEqual(await totals(), [0, 0n, 0n, 0, false])
      const first = await begin(1, 0, 'a')
      assert.deepEqual(await totals(), [0, 0n, 0n, 0, false])
      await end(first, 'one', paid(5))
      assert.deepEqual(await totals(), [1, 5n, 10n, 0, false])
      assert.deepEqual(await totals(), [1, 5n, 10n, 0, false])
      // A reply that ends before an earlier one.
      const second = await begin(first.version, 1)
      const third = await begin(second.version, 1)
      await end(third, 'three', paid(null, { estimated: true }))
      assert.deepEqual(await totals(), [2, 5n, 20n, 1, true])
      await end(second, 'two', paid(20, { unpaid: true }))
      assert.deepEqual(await totals(), [2, 5n, 20n, 1, true])
      // A reply that was taken for abandoned and ends after all.
      const fourth = await begin(third.version, 1)
      await end(fourth, 'part', { ...paid(2), state: 'interrupted', recovering: true })
      assert.deepEqual(await totals(), [3, 7n, 30n, 1, true])
      await end(fourth, 'complete', paid(3))
      assert.deepEqual(await totals(), [3, 8n, 30n, 1, true])
      await store.prune('one', fourth.version + 1, 1)
      assert.deepEqual(await totals(), [3, 8n, 30n, 1, true])
      await end(await begin(fourth.version + 2, 0, 'again'), 'again', paid(100))
      assert.deepEqual(await totals(), [4, 108n, 40n, 1, true])
      assert.equal((await store.list({ limit: 1, totals: false }))[0]?.totals, undefined)
    })

    test('search() finds messages with every word, in any language, the newest first', async () => {
      await create()
      let version = await talk('Plan a trip to Kyoto', '東京に行きたい', 'const answer = computeAnswer(42)')
      const found = async (...words: string[]): Promise<number[]> =>
        (await store.search(words, { limit: 10 })).map(({ number }) => number)
      assert.deepEqual(await found('kyoto'), [2, 1])
      assert.deepEqual(await found('yot', 'PLAN'), [2, 1])
      assert.deepEqual(await found('東京'), [4, 3])
      assert.deepEqual(await found('computeAnswer', '42'), [6, 5])
      assert.deepEqual(await found('%'), [])
      assert.deepEqual(await found('"kyoto" OR'), [])
      const begun = await begin(version, 6, 'And Osaka?')
      assert.deepEqual(await found('osaka'), [7])
      await end(begun, 'Osaka too')
      assert.deepEqual(await found('osaka'), [8, 7])
      const [hit] = await store.search(['osaka'], { limit: 1 })
      assert.deepEqual([hit?.conversationId, hit?.role, hit?.excerpt], ['one', 'assistant', 'Osaka too'])
      version = await store.prune('one', begun.version, 7)
      assert.deepEqual(await found('osaka'), [])
    })

    test('search() lists the messages that were added last first, also copies of older ones', async () => {
      await create()
      await talk('sunny Kyoto')
      await store.search(['sunny'], { limit: 1 })
      const copied = (number: number, text: string): MessageRecord => ({
        number,
        parent: number - 1,
        role: number % 2 === 1 ? 'user' : 'assistant',
        state: 'committed',
        createdAt: number,
        json: JSON.stringify({ role: 'user', content: text }),
        received: null,
        reply: null,
      })
      const messages = Array.from({ length: 250 }, (_, index) => {
        // Every trigram of "sunny" is in each of them, and the word in every fiftieth.
        return copied(index + 1, index % 50 === 0 ? `sunny ${index}` : `sun unn nny ${index}`)
      })
      await store.create({ id: 'two', owner: 'bob', title: 'T', settings: '{}', at: 1, messages, head: 250 })
      const found = async (words: string[], limit: number, owner?: string): Promise<string[]> =>
        (await store.search(words, { limit, owner })).map(({ conversationId, number }) => `${conversationId} ${number}`)
      const all = ['two 201', 'two 151', 'two 101', 'two 51', 'two 1', 'one 2', 'one 1']
      assert.deepEqual(await found(['sunny'], 9), all)
      assert.deepEqual(await found(['sunny'], 6), all.slice(0, 6))
      assert.deepEqual(await found(['su', 'ny'], 6), ['two 250', 'two 249', 'two 248', 'two 247', 'two 246', 'two 245'])
      assert.deepEqual(await found(['sunny', '50'], 9), ['two 151', 'two 51'])
      assert.deepEqual(await found(['sunny'], 9, 'bob'), all.slice(0, 5))
      assert.deepEqual(await found(['unn n'], 2), ['two 250', 'two 249'])
      assert.deepEqual(await found(['z'], 2), [])
      assert.deepEqual(await found([`${'long '.repeat(30)}word`], 2), [])
      await store.prune('two', 1, 52)
      assert.deepEqual(await found(['sunny'], 9), all.slice(3))
      await store.delete('two')
      assert.deepEqual(await found(['sunny'], 9), all.slice(5))
    })

    test('search() finds replies that ended after an earlier search, on every branch', async () => {
      await create()
      const first = await begin(1, 0, 'sunny question')
      const found = async (): Promise<number[]> =>
        (await store.search(['sunny'], { limit: 9 })).map(({ number }) => number)
      assert.deepEqual(await found(), [1])
      const second = await begin(first.version, 0, 'another sunny question')
      await end(second, 'sunny second')
      assert.deepEqual(await found(), [4, 3, 1])
      await end(first, 'sunny first')
      assert.deepEqual(await found(), [4, 3, 2, 1])
    })

    test('delete() erases a conversation and returns whether it existed', async () => {
      await create()
      await talk('hello')
      await store.search(['hello'], { limit: 1 })
      assert.equal(await store.delete('one'), true)
      assert.equal(await store.delete('one'), false)
      assert.equal(await store.open('one'), undefined)
      assert.deepEqual(await store.search(['hello'], { limit: 1 }), [])
      assert.deepEqual(await store.list({ limit: 1 }), [])
    })

    test('finish() throws ConversationNotFoundError after delete()', async () => {
      await create()
      const begun = await begin(1, 0, 'hello')
      await store.delete('one')
      await assert.rejects(end(begun, 'hi'), new ConversationNotFoundError('one'))
    })

    test('a closed store throws a StoreError with the code closed', async () => {
      await store.close()
      await assert.rejects(store.open('one'), { name: 'StoreError', code: 'closed' })
    })
  })
}

async function states(store: ConversationStore): Promise<string[]> {
  return (await store.open('one'))!.messages.map(({ state }) => state)
}

// A record may be an instance of a class.
function plain(message: MessageRecord): MessageRecord {
  return copyRecord(message, {})
}
