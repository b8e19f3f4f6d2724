import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { plainValues, unwritableObjects } from '../../../../test/wrong-values.ts'
import * as protocol from '../protocol/index.ts'
import * as tools from './index.ts'

// Functions that programs call with values of their own. Each of them with arguments that its types exclude returns, or throws one
// clear error.

/** Without its types. */
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any

const { costOf, priceAt } = protocol
const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
const schema = { type: 'object' } as const
const call = { type: 'tool_use', id: 'toolu_1', name: 'clock', input: {} } as const

const calls: Record<string, (value: Untyped) => unknown> = {
  'costOf() with a usage': (value) => costOf(value, 'claude-sonnet-4-6'),
  'costOf() with a model': (value) => costOf(usage, value),
  'priceAt()': (value) => priceAt(value, new Date()),
  'bandFor()': (value) => protocol.bandFor(value, 1),
  'addCosts()': (value) => protocol.addCosts(value),
  'tokenCounts()': (value) => protocol.tokenCounts(value),
  'callsIn()': (value) => protocol.callsIn(value),
  'lastCallIn()': (value) => protocol.lastCallIn(value),
  'formatUsd()': (value) => protocol.formatUsd(value),
  'partialInput()': (value) => protocol.partialInput(value),
  'parseMessage()': (value) => protocol.parseMessage(value, {}),
  'parseMessage() with params': (value) => protocol.parseMessage({ content: [] } as Untyped, value),
  'jsonSchemaOutputFormat()': (value) => protocol.jsonSchemaOutputFormat(value),
  'jsonSchemaOutputFormat() with properties': (value) =>
    protocol.jsonSchemaOutputFormat({ ...schema, properties: { a: { type: 'array', items: value } } }),
  'jsonSchemaOutputFormat() with options': (value) => protocol.jsonSchemaOutputFormat(schema, value),
  'standardSchemaOutputFormat()': (value) => protocol.standardSchemaOutputFormat(value),
  'transformJsonSchema()': (value) => tools.transformJsonSchema(value),
  'tool()': (value) => tools.tool(value),
  'addUsage()': (value) => tools.addUsage(usage, value),
  'nextStep()': (value) => tools.nextStep(value),
  'nextStep() with content': (value) => tools.nextStep({ stop_reason: 'tool_use', content: value } as Untyped),
  'callsIn() of tools': (value) => tools.callsIn(value),
  'answerCall()': (value) => tools.answerCall(value, []),
  'answerCall() with tools': (value) => tools.answerCall(call, value),
  'answerCalls()': (value) => tools.answerCalls(value, []),
  'answerCalls() with tools': (value) => tools.answerCalls([call], value),
}

/** Messages of the JavaScript engine, which name variables of the function that its caller does not know. */
const writtenByEngine =
  /is not a function|is not iterable|Cannot (?:read propert|convert|destructure|mix)|Maximum call stack|operator|[Cc]ircular/

describe('an argument that the types exclude is one clear error, or is taken', () => {
  for (const [name, call] of Object.entries(calls)) {
    test(name, async () => {
      for (const [kind, value] of Object.entries({ ...plainValues, ...unwritableObjects })) {
        try {
          await call(value)
        } catch (error) {
          assert.ok(error instanceof protocol.AnthropicError, `${kind}: ${String(error)}`)
          assert.doesNotMatch(error.message, writtenByEngine, kind)
        }
      }
    })
  }
})

const texts: [name: string, call: () => unknown, message: RegExp][] = [
  [
    'costOf() without a usage',
    () => costOf(undefined as Untyped, 'm'),
    /^Cannot use the usage of costOf\(\) as it must be an object: found undefined$/,
  ],
  [
    'a price of text',
    () => protocol.bandFor('3' as Untyped, 1),
    /^Cannot use the bands of a price as it must be a list: found undefined$/,
  ],
  [
    'an amount that is a number',
    () => protocol.formatUsd(0.5 as Untyped),
    /^Cannot write an amount of money as it must be a bigint of picodollars: found 0.5$/,
  ],
  [
    'a schema that contains itself',
    () => protocol.jsonSchemaOutputFormat(endless),
    /^Cannot use a JSON Schema that is nested too deep: at properties\.self\.properties\.self\.properties\.self…$/,
  ],
  [
    'answerCall() without a call',
    () => tools.answerCall(undefined as Untyped, []),
    /^Cannot use a call as it must be an object: found undefined$/,
  ],
]
const endless: Untyped = { type: 'object', properties: {} }
endless.properties.self = endless

for (const [name, call, message] of texts) {
  test(`the error for ${name} says what is wrong`, async () => {
    await assert.rejects(async () => call(), { name: 'AnthropicError', message })
  })
}
