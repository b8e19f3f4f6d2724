import { isObject } from './json-object.ts'
import { AnthropicError } from '../types/error.ts'
import { nearMiss } from './near-miss.ts'

/**
 * Throws an `AnthropicError` if the options are not an object, or if one of them is not known: a misspelt option would be
 * ignored without a word. The error names the nearest known option, or all of them.
 *
 * @param owner the function or option that the options belong to.
 */
export function checkOptionNames(options: unknown, known: readonly string[], owner: string): void {
  checkOptionsObject(options, owner)
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue
    const nearest = nearestName(name, known)
    const hint = nearest === undefined ? `the options are ${known.join(', ')}` : `did you mean ${nearest}?`
    throw new AnthropicError(`Cannot use the option ${name} of ${owner}: ${hint}`)
  }
}

/** Throws an `AnthropicError` if one of the options is inherited: it would be lost when the object is copied or stored. */
export function checkOwnOptions(options: object, known: readonly string[], owner: string): void {
  for (const name of known) {
    if (!(name in options) || Object.hasOwn(options, name)) continue
    throw new AnthropicError(
      `Cannot use the option ${name} of ${owner}: it is inherited, copy it into the object itself`,
    )
  }
}

/** Throws an `AnthropicError` if the options are not an object. */
export function checkOptionsObject(options: unknown, owner: string): asserts options is object {
  if (isObject(options)) return
  throw new AnthropicError(`Cannot use ${owner} as its options must be an object: found ${describeValue(options)}`)
}

/** Throws an `AnthropicError` if an argument is not what a function takes: a program without types may pass anything. */
export function checkArgument(value: unknown, kind: 'an object' | 'a list', argument: string): void {
  const isOfKind = Array.isArray(value) ? kind === 'a list' : kind === 'an object' && Object(value) === value
  if (!isOfKind) throw new AnthropicError(`Cannot use ${argument} as it must be ${kind}: found ${describeValue(value)}`)
}

/** The known name that an unknown one was probably meant to be: a few letters off, a part of it, or made of the same words. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const words = wordsOf(name)
  const shared = (candidate: string): number => wordsOf(candidate).filter((word) => words.includes(word)).length
  const best = known.toSorted((a, b) => shared(b) - shared(a) || a.length - b.length)[0]
  return nearMiss(name, known) ?? (best !== undefined && shared(best) > 0 ? best : undefined)
}

/** The words of a name in camel case or with separators, in lower case. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter((word) => word.length > 2 && word !== 'per' && word !== 'max')
}

/** A value of any type for an error message: a list, an object or a function by its kind, a long text by its beginning. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
