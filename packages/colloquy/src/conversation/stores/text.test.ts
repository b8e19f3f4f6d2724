import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../../test/sampled.ts'
import { storePlaces } from '../../../../../test/stores.ts'
import { ConversationNotFoundError } from '../errors.ts'
import type { BegunTurn, ConversationStore, MessageRecord } from './store.ts'

// Text that databases treat differently goes through every argument of every store.
const oddTexts = { 'a NUL': 'a\0b', 'a NUL alone': '\0', 'half a pair': 'a\ud83d', 'other halves': '\udc00\ud800z' }
const accountOf = (user: string): { user: string; day: string } => ({ user, day: '2026-11-21' })

/** Letters of one and of several characters, in both cases, and signs that mean something in patterns and query languages. */
const units = [
  ...'aAbzZ019éÉßẞøØяЯσςΣµμΜſs日本語한😀"\'%_*\\()[]:;-+^$?.{}|&<>',
  'e\u0301',
  'E\u0301',
  '\u1112\u1161\u11ab',
  '👩‍👩‍👧',
  'ﷺ',
  '\u202e',
  ' ',
  '\n',
  '\u00a0',
  ' OR ',
  ' NOT ',
  'NEAR',
  '--',
  '/*',
  '\ufeff',
]

function userMessages(contents: readonly string[]): MessageRecord[] {
  return contents.map((content, index) => ({
    number: index + 1,
    parent: index,
    role: 'user',
    state: 'committed',
    createdAt: index + 1,
    json: JSON.stringify({ role: 'user', content }),
    received: null,
    reply: null,
  }))
}

for (const [name, make] of Object.entries(storePlaces())) {
  describe(`text in ${name}`, () => {
    let folder: string
    let store: ConversationStore

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
      store = make(folder, { leaseMs: 30_000, now: () => 1_000 })()
    })

    afterEach(async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    })

    for (const [what, odd] of Object.entries(oddTexts)) {
      const stored = odd.toWellFormed().replaceAll('\0', '\ufffd')

      test(`a conversation is created, found and changed with ${what} in every argument`, async () => {
        const all = { owner: odd, metadata: `"${odd}"`, title: odd, settings: `"${odd}"` }
        await store.create({ id: odd, ...all, at: 1 })
        const expected = { id: stored, owner: stored, metadata: `"${stored}"`, title: stored, settings: `"${stored}"` }
        const read = async (): Promise<object> => {
          const { id, owner, metadata, title, settings } = (await store.open(odd))!.conversation
          return { id, owner, metadata, title, settings }
        }
        assert.deepEqual(await read(), expected)
        assert.deepEqual((await store.open(stored))?.conversation.id, stored)
        await store.update(odd, 1, { owner: null, metadata: null, title: null, settings: '{}', at: 2 })
        await store.update(odd, 2, { ...all, at: 3 })
        assert.deepEqual(await read(), expected)
        assert.deepEqual(
          (await store.list({ limit: 9, owner: odd })).map(({ id }) => id),
          [stored],
        )
        assert.deepEqual(await store.list({ limit: 9, before: { id: odd, updatedAt: 3 } }), [])
        assert.equal(await store.delete(odd), true)
        assert.equal(await store.open(odd), undefined)
      })

      test(`a turn is begun, journalled, finished and found with ${what} in every argument`, async () => {
        await store.create({ id: odd, title: null, settings: '{}', at: 1 })
        const json = `{"role":"user","content":"${odd}"}`
        const step = { id: odd, parent: 0, messages: [{ role: 'user', json }], key: odd, title: odd, at: 2 }
        const accounts = [{ ...accountOf(odd), most: {} }]
        const reservation = { picoUsd: 5n, tokens: 5n, accounts }
        const begun = (await store.begin({ ...step, version: 1, reservation })) as BegunTurn
        assert.equal((await store.begin({ ...step, version: 2 })).repeated, true)
        await store.journal({ handle: begun.handle, index: 0, json: `["${odd}"]`, at: 3 })
        const opened = (await store.open(odd))!
        assert.deepEqual(opened.unfinished[0]?.journal, [`["${stored}"]`])
        assert.equal(opened.conversation.title, stored)
        assert.equal(opened.messages[0]?.json, `{"role":"user","content":"${stored}"}`)
        assert.equal((await store.spending(accountOf(odd))).held.tokens, 5n)
        const end = { id: odd, handle: begun.handle, state: 'committed', at: 4, accounts } as const
        await store.finish({ ...end, json, received: json, reply: `{"error":{"message":"${odd}"}}` })
        const [, reply] = await store.path(odd, 2)
        assert.deepEqual([reply?.json, reply?.received], [opened.messages[0]?.json, opened.messages[0]?.json])
        assert.equal((await store.find(odd, odd))?.reply.number, 2)
        assert.equal((await store.tree(odd)).length, 2)
        assert.equal((await store.read(odd, [2])).length, 1)
        assert.equal((await Array.fromAsync(store.messages(odd))).length, 2)
        await store.forgetDays(odd)
        await store.prune(odd, 2, 1)
      })

      test(`unknown names with ${what} are not found`, async () => {
        assert.equal(await store.open(odd), undefined)
        assert.equal(await store.delete(odd), false)
        await assert.rejects(store.path(odd, 1), ConversationNotFoundError)
        assert.deepEqual(await store.list({ limit: 1, before: { id: odd, updatedAt: 1 } }), [])
        await store.create({ id: 'one', title: null, settings: '{}', at: 1 })
        assert.equal(await store.find('one', odd), undefined)
        assert.deepEqual(await store.list({ limit: 1, owner: odd }), [])
        assert.equal((await store.spending(accountOf(odd))).tokens, 0n)
      })

      test(`messages with ${what} are copied and searched`, async () => {
        const content = `"x${odd.replaceAll('\0', '\\u0000')}y"`
        const message = { number: 1, parent: 0, role: 'user', state: 'committed', createdAt: 1 } as const
        const json = `{"role":"user","content":${content}}`
        await store.create({
          id: 'one',
          title: null,
          settings: '{}',
          at: 1,
          messages: [{ ...message, json, received: null, reply: null }],
          head: 1,
        })
        assert.equal((await store.search([`x${odd}y`], { limit: 1 })).length, 1)
        assert.equal((await store.search([`x${odd}y`], { limit: 1, owner: odd })).length, 0)
        assert.deepEqual(await store.search(['\0'], { limit: 1 }), [])
      })
    }

    test('an owner that is not text is refused: null could stand for all owners', async () => {
      await store.create({ id: 'one', owner: 'ada', title: 'word', settings: '{}', at: 1 })
      for (const owner of [null, 5, {}] as never[]) {
        const message = /^Cannot use the owner as it must be text: found /
        await assert.rejects(store.list({ limit: 9, owner }), { message })
        await assert.rejects(store.search(['word'], { limit: 9, owner }), { message })
      }
    })

    test('a byte order mark at the beginning of a name is replaced', async () => {
      const name = '\ufeffada'
      await store.create({ id: name, owner: name, title: null, settings: '{}', at: 1 })
      assert.equal((await store.open(name))?.conversation.id, '\ufffdada')
      assert.deepEqual(
        (await store.list({ limit: 9, owner: name })).map(({ id, owner }) => [id, owner]),
        [['\ufffdada', '\ufffdada']],
      )
    })

    test('search() finds composed and decomposed letters in any case', async () => {
      const contents = ['Re\u0301sume\u0301.pdf', 'RÉSUMÉ', 'Straße nach Überlingen', '한국어 한국어', 'ΟΔΟΣ']
      await store.create({
        id: 'one',
        title: null,
        settings: '{}',
        at: 1,
        messages: userMessages(contents),
        head: contents.length,
      })
      const found = async (...words: string[]): Promise<number[]> =>
        (await store.search(words, { limit: 9 })).map(({ number }) => number)
      assert.deepEqual(await found('Résumé'), [2, 1])
      assert.deepEqual(await found('re\u0301sume\u0301'), [2, 1])
      assert.deepEqual(await found('É'), [2, 1])
      assert.deepEqual(await found('e\u0301'), [2, 1])
      assert.deepEqual(await found('ÜBERLINGEN', 'straße'), [3])
      assert.deepEqual(await found('\u1112\u1161\u11ab'), [4])
      for (const word of ['ΟΔΟΣ', 'οδος', 'οδοσ', 'ΔΟΣ', 'δοσ']) assert.deepEqual(await found(word), [5], word)
      const [hit] = await store.search(['RÉSUMÉ.PDF'], { limit: 1 })
      assert.equal(hit?.excerpt, 'Résumé.pdf')
    })

    test('search() finds what a scan of all messages finds', async () => {
      const unit = fc.constantFrom(...units)
      const text = fc.array(unit, { minLength: 1, maxLength: 12 })
      const texts = fc.array(text, { minLength: 1, maxLength: 60 })
      // A part of a text, or any units.
      const word = fc.oneof(
        fc.record({ of: fc.nat(), from: fc.nat(11), length: fc.integer({ min: 1, max: 6 }) }),
        fc.array(unit, { minLength: 1, maxLength: 3 }),
      )
      let owners = 0
      await fc.assert(
        fc.asyncProperty(
          texts,
          fc.array(fc.array(word, { minLength: 1, maxLength: 2 }), { maxLength: 12 }),
          async (all, queries) => {
            const owner = `owner ${++owners}`
            const contents = all.map((each) => each.join(''))
            await store.create({
              id: owner,
              owner,
              title: null,
              settings: '{}',
              at: 1,
              messages: userMessages(contents),
              head: all.length,
            })
            for (const query of queries) {
              const words = query
                .map((each) => {
                  if (Array.isArray(each)) return each.join('')
                  return all[each.of % all.length]!.slice(each.from).slice(0, each.length).join('')
                })
                .filter((each) => each.trim() !== '')
              if (words.length === 0) continue
              const patterns = words.map(
                (each) => new RegExp(each.normalize().replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`), 'iu'),
              )
              const expected = contents.flatMap((content, index) =>
                patterns.every((pattern) => pattern.test(content.normalize())) ? [index + 1] : [],
              )
              const hits = await store.search(words, { limit: 100, owner })
              assert.deepEqual(hits.map(({ number }) => number).toReversed(), expected, JSON.stringify(words))
            }
          },
        ),
        { numRuns: runs(100, 10) },
      )
    })

    test('long texts are kept, long names and searches are refused', async () => {
      const long = 'long text '.repeat(20_000)
      const name = 'n'.repeat(512)
      const tooLong = `${name}n`
      await store.create({ id: name, owner: name, metadata: `"${long}"`, title: long, settings: `"${long}"`, at: 1 })
      const { conversation } = (await store.open(name))!
      assert.deepEqual(
        [conversation.title, conversation.settings, conversation.metadata],
        [long, `"${long}"`, `"${long}"`],
      )
      const step = { id: name, version: 1, parent: 0, messages: [{ role: 'user', json: `"${long}"` }], at: 1 }
      const most = {}
      const reservation = { picoUsd: 0n, tokens: 0n, accounts: [{ ...accountOf(name), most }] }
      await store.begin({ ...step, key: name, reservation })
      const fields = { title: null, settings: '{}', at: 1 }
      const refused = /must have 1 to 512 characters: it has 513/
      await assert.rejects(store.create({ id: tooLong, ...fields }), refused)
      await assert.rejects(store.create({ id: 'a', owner: tooLong, ...fields }), refused)
      await assert.rejects(store.create({ id: '', ...fields }), /the id as it must have 1 to 512 characters: it has 0/)
      await assert.rejects(store.update(name, 2, { owner: tooLong, at: 1 }), refused)
      await assert.rejects(store.begin({ ...step, version: 2, key: tooLong }), refused)
      const accounts = [{ ...accountOf(tooLong), most }]
      await assert.rejects(store.begin({ ...step, version: 2, reservation: { ...reservation, accounts } }), refused)
      assert.equal(await store.open(long), undefined)
      assert.equal(await store.find(name, long), undefined)
      assert.deepEqual(await store.list({ limit: 1, owner: long }), [])
      assert.deepEqual(await store.search('y '.repeat(500).trim().split(' '), { limit: 1 }), [])
      assert.deepEqual(await store.search(['z'.repeat(1_000)], { limit: 1 }), [])
      await assert.rejects(
        store.search(['z'.repeat(1_001)], { limit: 1 }),
        /at most 1000 characters together: they have 1001/,
      )
    })
  })
}
