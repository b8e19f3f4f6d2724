import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { policies } from '../bench/cache/policies.ts'
import { mixed, regular, withTools } from '../bench/cache/population.ts'
import { optimum, type Policy, simulate } from '../bench/cache/simulator.ts'
import { costOf, costRatio } from '../bench/cache.ts'

const {
  colloquy: ours,
  'colloquy, keep-alive': keepingAlive,
  ...others
} = policies as Record<string, Policy> & { colloquy: Policy; 'colloquy, keep-alive': Policy }
const fixed = Object.entries(others)

for (const readFactor of [0.1, 0.05, 0.025]) {
  describe(`cache lifetimes with reads at ${readFactor} of the input price`, () => {
    test('cost close to the optimum when turns follow immediately', () => {
      const ratio = costRatio([regular({ turns: 200, gapMs: 42_000 })], ours, readFactor)
      assert.ok(ratio <= 1.01, `${ratio} times the optimum`)
    })

    test('cost close to the optimum when every pause is 20 minutes', () => {
      const ratio = costRatio([regular({ turns: 200, gapMs: 20 * 60_000 })], ours, readFactor)
      assert.ok(ratio <= 1.05, `${ratio} times the optimum`)
    })

    test('cost at most 25 % more than the optimum, and no more than any fixed policy, for mixed users', () => {
      const runs = [mixed(101), mixed(102)]
      const ratio = costRatio(runs, ours, readFactor)
      assert.ok(ratio <= 1.25, `${ratio} times the optimum`)
      for (const [name, policy] of fixed) {
        const other = costRatio(runs, policy, readFactor)
        assert.ok(ratio <= other * 1.01, `${ratio} times the optimum, where ${name} is ${other}`)
      }
    })

    test('cost at most 25 % more than the optimum for users with other habits', () => {
      for (const shares of [
        [0.9, 0.07, 0.03],
        [0.1, 0.8, 0.1],
        [0.1, 0.2, 0.7],
      ] as const) {
        const ratio = costRatio([mixed(103, shares)], ours, readFactor)
        assert.ok(ratio <= 1.25, `${ratio} times the optimum with shares ${shares.join(', ')}`)
      }
    })

    test('cost no more than any fixed policy for turns with tools', () => {
      const runs = [withTools(104), withTools(105)]
      const cost = costOf(runs, ours, readFactor)
      for (const [name, policy] of fixed) {
        const fixed = costOf(runs, policy, readFactor)
        assert.ok(cost <= fixed, `${cost / fixed} times the cost of ${name}`)
      }
    })
  })
}

test('keeping entries alive costs less with tools if reads are cheap enough, and nothing elsewhere', () => {
  const [chats, agents] = [
    [mixed(101), mixed(102)],
    [withTools(104), withTools(105)],
  ]
  assert.ok(costOf(agents, keepingAlive, 0.025) < costOf(agents, ours, 0.025))
  assert.ok(costOf(chats, keepingAlive, 0.025) < costOf(chats, ours, 0.025) * 1.01)
  for (const readFactor of [0.05, 0.1]) {
    for (const runs of [chats, agents]) {
      assert.equal(costOf(runs, keepingAlive, readFactor), costOf(runs, ours, readFactor))
    }
  }
})

test('the simulator matches a calculation by hand', () => {
  const population = {
    kind: 'chat' as const,
    sharedTokens: 1000,
    talks: [{ startMs: 0, turns: [turn(0, 100), turn(60_000, 200), turn(600_000, 300)] }],
  }
  // A write, then a read followed by a write, and after ten minutes a write of everything.
  const fiveMinutes = 1.25 * 1100 + (0.1 * 1100 + 1.25 * 200) + 1.25 * 1600
  assert.equal(round(simulate(population, policies['automatic, 5 minutes']!, 0.1)), fiveMinutes)
  const anHour = 2 * 1100 + (0.1 * 1100 + 2 * 200) + (0.1 * 1300 + 2 * 300)
  assert.equal(round(simulate(population, policies['automatic, 1 hour']!, 0.1)), anHour)
  assert.equal(round(simulate(population, policies['no caching']!, 0.1)), 1100 + 1300 + 1600)
})

test('the optimum matches a calculation by hand with known pauses', () => {
  const talk = { startMs: 0, turns: [turn(0, 100), turn(60_000, 200), turn(600_000, 50), turn(60_000, 400)] }
  const population = { kind: 'chat' as const, sharedTokens: 0, talks: [talk] }
  // In the last turn only reading pays. Before the pause, one hour pays for the tokens of the first two turns (2 + 0.1
  // + 0.1 each, against 1.25 + 1.25), and five minutes are enough for those of the third.
  const least = 200 + (10 + 400) + (30 + 1.25 * 50) + (35 + 400)
  assert.equal(round(optimum(population, 0.1)), least)
  for (const policy of Object.values(policies)) assert.ok(simulate(population, policy, 0.1) >= least)
})

function turn(gapMs: number, newTokens: number): { gapMs: number; newTokens: number } {
  return { gapMs, newTokens }
}

function round(cost: number): number {
  return Math.round(cost * 1e6) / 1e6
}
