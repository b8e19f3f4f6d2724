import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { compare } from './compare.ts'
import { valueAt } from './outcome.ts'
import { recordingServer } from './recording-server.ts'
import { tables } from './scenarios/index.ts'

const server = await recordingServer()
after(() => server.close())

for (const [subject, scenarios] of Object.entries(tables)) {
  describe(subject, { concurrency: 8 }, () => {
    for (const { differs = [], ...scenario } of scenarios) {
      test(scenario.name, async () => {
        const { official, ours, deviations } = await compare(server, scenario)
        const unnamed = deviations.filter(({ at }) => !differs.some((named) => isUnder(at, named.at)))
        assert.deepEqual(unnamed, [], 'the two clients part where no difference is named')
        for (const { name, at, ...expected } of differs) {
          assert.ok(
            deviations.some((deviation) => isUnder(deviation.at, at)),
            `the difference ${name} at ${at} is gone`,
          )
          matches(valueAt(official, at), expected.official)
          matches(valueAt(ours, at), expected.ours)
        }
      })
    }
  })
}

function isUnder(at: string, place: string): boolean {
  return at === place || at.startsWith(`${place}.`)
}

function matches(actual: unknown, expected: unknown): void {
  if (expected instanceof RegExp) assert.match(String(actual), expected)
  else if (typeof expected === 'object' && expected !== null) assert.partialDeepStrictEqual(actual, expected)
  else assert.equal(actual, expected)
}
