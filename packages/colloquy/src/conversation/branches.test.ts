import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import fc from 'fast-check'
import { branchesOf } from './branches.ts'
import { leaves, pathTo } from './history/tree.ts'
import { Ledger } from './money/ledger.ts'
import type { TreeNode } from './stores/store.ts'

/** A reply that cost `picoUsd`; null: a question. */
function node(number: number, parent: number, picoUsd: number | null): TreeNode {
  const usage = { input_tokens: number, output_tokens: 2 }
  const reply = picoUsd === null ? null : JSON.stringify({ message: { usage }, cost_pico_usd: picoUsd })
  const role = picoUsd === null ? 'user' : 'assistant'
  return { number, parent, role, state: 'committed', createdAt: number, reply }
}

test('the usage of a branch is the sum of the replies on its path', () => {
  const costs = fc.array(fc.record({ parent: fc.nat(), picoUsd: fc.option(fc.nat()) }), { maxLength: 30 })
  fc.assert(
    fc.property(costs, (given) => {
      const nodes = given.map(({ parent, picoUsd }, index) => node(index + 1, parent % (index + 1), picoUsd))
      const byNumber = new Map(nodes.map((each) => [each.number, each]))
      const expected = leaves(nodes)
        .toReversed()
        .map(({ number }) => {
          const path = pathTo(byNumber, number)
          return { messageId: String(number), length: path.length, usage: new Ledger(path).total }
        })
      const found = branchesOf(nodes, 1)
      assert.deepEqual(
        found.map(({ messageId, length, usage }) => ({ messageId, length, usage })),
        expected,
      )
    }),
  )
})

test('each reply is read once, however many branches share it', () => {
  const trunk = Array.from({ length: 100 }, (_, index) => node(index + 1, index, index % 2 === 0 ? null : 1))
  const twigs = Array.from({ length: 50 }, (_, index) => node(101 + index, 100, 1))
  const parse = mock.method(JSON, 'parse')
  try {
    const found = branchesOf([...trunk, ...twigs], 100)
    assert.deepEqual([found.length, found[0]?.length, found[0]?.usage.calls], [50, 101, 51])
    assert.equal(parse.mock.callCount(), 100)
  } finally {
    parse.mock.restore()
  }
})

test('branches share no object that a caller may change', () => {
  const [first, second] = branchesOf([node(1, 0, 5), node(2, 1, null), node(3, 1, null)], 2)
  first!.usage.cost.picoUsd = 0n
  assert.equal(second!.usage.cost.picoUsd, 5n)
})
