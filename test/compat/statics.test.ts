import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as official from '@anthropic-ai/sdk'
import * as ours from 'colloquy'
import { read } from '../source.ts'

// Products other than Messages, and the errors of their requests.
const otherProducts =
  /Skills|UserProfiles|Organization|Agents|Compliance|Deployment|Dreams|Environments|MemoryStores|Sessions|Tunnels|Vaults|Webhooks|webhook|\.userProfiles|ManagedAgents/
const otherErrors =
  /\.(Beta(CMEKNotApproved|ExternalKey|GCPProject|RegionNotSupported|Storage|Environment|Invalid|Approval|HumanReview|Authorization)|Skill|UserProfile|Org|RBAC|ConcurrentMembership|ChangeOutcome)\w*Error/

/** Names of the official client that are private in its declarations, or that its declarations mark as internal. */
const internalNames = new Set([
  '_errorName',
  'makeMessage',
  '_thenUnwrap',
  '_responseProps',
  'parse',
  'parseResponseTraced',
  '_toolRunnerThread',
])

test('each value that the official exports lead to is at the same place here', () => {
  const missing: string[] = []
  for (const [place, kind] of valuesIn(official)) {
    const name = place.split(/[.#]/).at(-1)!
    if (otherProducts.test(place) || otherErrors.test(place) || internalNames.has(name)) continue
    if (place.includes('#') && isInternalOfClient(place)) continue
    if (kindOf(valueAt(ours, place)) !== kind) missing.push(`${place}: ${kind}`)
  }
  assert.deepEqual(missing, [])
})

/** The methods of the client that its subclasses override, which docs/compatibility.md lists as not offered, and private ones. */
function isInternalOfClient(place: string): boolean {
  if (!/^(Base)?Anthropic#/.test(place)) return false
  const text = read('node_modules/@anthropic-ai/sdk/client.d.ts')
  const name = place.split('#')[1]!
  const isHidden = new RegExp(
    `(private|protected) (readonly |get )?(async )?${name}\\b|@internal\\s+\\*/\\s+${name}\\b`,
  ).test(text)
  const rows = read('docs/compatibility.md')
    .split('\n')
    .filter((line) => line.includes('| not offered |'))
  return isHidden || name.startsWith('_') || rows.some((row) => row.includes(`\`${name}\``))
}

/** The kinds of all values by their places: `Messages.Batches` is a static, `Messages#create` a method. */
function valuesIn(exported: object): Map<string, string> {
  const found = new Map<string, string>()
  const seen = new Set<unknown>()
  const add = (value: unknown, place: string): void => {
    found.set(place, kindOf(value))
    if (typeof value !== 'function' || seen.has(value)) return
    seen.add(value)
    for (const name of Object.getOwnPropertyNames(value))
      if (!['length', 'name', 'prototype'].includes(name)) add(readFrom(value, name), `${place}.${name}`)
    const { prototype } = value as { prototype?: object }
    for (const name of Object.getOwnPropertyNames(prototype ?? {}))
      if (name !== 'constructor') found.set(`${place}#${name}`, memberKind(prototype!, name))
  }
  for (const [name, value] of Object.entries(exported))
    if (/^[A-Za-z]/.test(name) && name !== 'module.exports') add(value, name)
  return found
}

function readFrom(holder: object, name: string): unknown {
  return (holder as Record<string, unknown>)[name]
}

function valueAt(exported: object, place: string): unknown {
  const [path = '', member] = place.split('#')
  const holder = path
    .split('.')
    .reduce<unknown>((value, name) => (value == null ? value : readFrom(Object(value) as object, name)), exported)
  if (member === undefined) return holder
  const prototype = (holder as { prototype?: object } | undefined)?.prototype
  return prototype && member in prototype ? { isMember: memberKind(prototype, member) } : undefined
}

/** The kind of a method or accessor, wherever in the prototype chain it is. */
function memberKind(prototype: object, name: string): string {
  for (let at: object | null = prototype; at; at = Object.getPrototypeOf(at) as object | null) {
    const described = Object.getOwnPropertyDescriptor(at, name)
    if (described) return described.get ? 'accessor' : 'method'
  }
  return 'nothing'
}

function kindOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'isMember' in value) return String(value.isMember)
  if (typeof value === 'function')
    return /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'function'
  return typeof value
}
