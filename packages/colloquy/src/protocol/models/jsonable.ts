/**
 * Gives an object with `bigint` members a `toJSON()`: without it `JSON.stringify()` throws. Amounts become decimal strings. Each
 * amount in picodollars is followed by the same amount in dollars: `picoUsd` by `usd`, `costPicoUsd` by `costUsd`. The method
 * is not enumerable, so the object compares and prints as before.
 */
export function jsonable<Value extends object>(value: Value): Value {
  return Object.defineProperty(value, 'toJSON', { value: toJSON, configurable: true })
}

function toJSON(this: object): unknown {
  return plain(this)
}

/** The value with decimal strings in place of each `bigint`. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
      const inUsd = typeof member === 'bigint' && /picoUsd$/i.test(name)
      return [[name, plain(member)], ...(inUsd ? [[name.replace(/picoUsd$/i, usdName), decimalUsd(member)]] : [])]
    }),
  )
}

function usdName(name: string): string {
  return name.startsWith('p') ? 'usd' : 'Usd'
}

/**
 * An amount in picodollars as an exact decimal number of dollars, such as `0.00315`.
 *
 * @example
 * ```ts
 * import { decimalUsd, fromUsd } from 'colloquy/protocol'
 *
 * console.log(decimalUsd(fromUsd('0.1') + fromUsd('0.2'))) // 0.3
 * ```
 */
export function decimalUsd(picoUsd: bigint): string {
  const digits = String(picoUsd < 0n ? -picoUsd : picoUsd).padStart(13, '0')
  const fraction = digits.slice(-12).replace(/0+$/, '')
  return `${picoUsd < 0n ? '-' : ''}${digits.slice(0, -12)}${fraction === '' ? '' : `.${fraction}`}`
}
