import { isObject } from '../protocol/json/json-object.ts'
import { nearMiss } from '../protocol/json/near-miss.ts'
import { describeValue } from '../protocol/json/option-names.ts'
import { AnthropicError, type ErrorType } from '../protocol/types/error.ts'
import {
  anything,
  callable,
  checkOptions,
  count,
  flag,
  milliseconds,
  object,
  oneOf,
  type Rule,
  text,
} from './check-options.ts'

const stepRules = {
  when: callable,
  times: count,
  reply: anything,
  after: count,
  error: anything,
  cut: oneOf('reset', 'close'),
  bytes: { must: 'a text or bytes', holds: (value) => typeof value === 'string' || value instanceof Uint8Array },
  stall: flag,
  delayMs: milliseconds,
  eventDelayMs: milliseconds,
} satisfies Record<string, Rule>

const errorRules = {
  type: text,
  message: text,
  status: { must: 'a status of an error, from 400 to 599', holds: isErrorStatus },
  details: object,
  headers: object,
} satisfies Record<string, Rule>

const errorTypes: ErrorType[] = [
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
  'conflict_error',
  'request_too_large',
  'rate_limit_error',
  'api_error',
  'timeout_error',
  'overloaded_error',
]

/** Whether the value has a field of a step. If not, it is a reply. */
export function hasStepKey(value: object): boolean {
  return Object.keys(value).some((key) => Object.hasOwn(stepRules, key))
}

/** Throws an `AnthropicError` for steps of a script that would not do what their author meant. */
export function checkSteps(steps: unknown): void {
  if (!Array.isArray(steps)) throw misuse('script()', `its steps must be a list: found ${quote(steps)}`)
  steps.forEach(checkStep)
}

function checkStep(step: unknown, index: number): void {
  const owner = `step ${index + 1} of script()`
  if (!isObject(step) || !hasStepKey(step)) return checkReply(step, owner)
  checkOptions(step, stepRules, owner)
  if (step.reply !== undefined) checkReply(step.reply, owner)
  if (step.error !== undefined) checkError(step.error, owner)
}

function checkReply(reply: unknown, owner: string): void {
  if (typeof reply === 'string') return
  if (Array.isArray(reply)) return checkTyped(reply, 'an event', owner)
  if (!isObject(reply)) throw misuse(owner, `a reply is a text, a message or a list of events: found ${quote(reply)}`)
  const { content } = reply
  if (content === undefined)
    throw misuse(owner, `it has no content and no field of a step: found ${Object.keys(reply).join(', ') || 'none'}`)
  if (typeof content === 'string') return
  if (!Array.isArray(content)) throw misuse(owner, `content is a text or a list of blocks: found ${quote(content)}`)
  checkTyped(content, 'a block', owner)
  for (const block of content as { type: string; text?: unknown }[])
    if (block.type === 'text') checkOptions({ text: block.text ?? null }, { text }, `a block of ${owner}`)
}

function checkTyped(list: readonly unknown[], what: string, owner: string): void {
  for (const each of list)
    if (!isObject(each) || typeof each.type !== 'string')
      throw misuse(owner, `${what} is an object with a type: found ${quote(each)}`)
}

function checkError(error: unknown, owner: string): void {
  const { type } = isObject(error) ? error : {}
  if (typeof type !== 'string') throw misuse(owner, `error is an object with a type: found ${quote(error)}`)
  checkOptions(error, errorRules, `the error of ${owner}`)
  // Other types may be of a later version of the API.
  if (errorTypes.includes(type)) return
  const meant = errorTypes.find((known) => known === `${type}_error`) ?? nearMiss(type, errorTypes)
  if (meant !== undefined) throw misuse(owner, `found the error type ${type}, did you mean ${meant}?`)
}

function misuse(owner: string, problem: string): AnthropicError {
  return new AnthropicError(`Cannot use ${owner}: ${problem}`)
}

function quote(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 100)
  } catch {
    return describeValue(value)
  }
}

function isErrorStatus(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 400 && (value as number) < 600
}
