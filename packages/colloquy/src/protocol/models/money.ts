import { describeValue } from '../json/option-names.ts'
import { AnthropicError } from '../types/error.ts'

/** An amount in picodollars, 10⁻¹² USD, as a `bigint`: each list price times a token count is a whole number of them. */
export type PicoUsd = bigint

const perUsd = 1_000_000_000_000n

/**
 * Converts a list price in USD per million tokens, such as `'0.125'`, to picodollars per token.
 *
 * @example
 * ```ts
 * import { perToken } from 'colloquy/protocol'
 *
 * console.log(perToken('3')) // 3000000n
 * ```
 */
export function perToken(usdPerMillionTokens: string): PicoUsd {
  return readDecimal(usdPerMillionTokens, 6)
}

/**
 * Converts dollars, such as `'0.5'`, exactly; a number by its shortest decimal. The inverse of `toUsd`.
 *
 * @example
 * ```ts
 * import { formatUsd, fromUsd } from 'colloquy/protocol'
 *
 * console.log(fromUsd('0.5')) // 500000000000n
 * console.log(formatUsd(fromUsd(12.345))) // $12.35
 * ```
 */
export function fromUsd(usd: string | number): PicoUsd {
  return readDecimal(typeof usd === 'number' ? withoutExponent(usd) : usd, 12)
}

/** Reads a decimal number as an integer, scaled by 10 to the power of `decimals`. */
function readDecimal(text: string, decimals: number): bigint {
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined || fraction.length > decimals)
    throw new RangeError(
      `Cannot read an amount of money as it is not a decimal number of at most ${decimals} decimals: ${text}`,
    )
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/** A number without an exponent, which JavaScript writes below 0.000001 and from 1e21 on. */
function withoutExponent(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  return value < 1 ? value.toFixed(20).replace(/0+$/, '') : String(BigInt(value))
}

/** Converts to dollars for charts and JSON, to about a millionth of a cent. Never add such numbers up. */
export function toUsd(picoUsd: PicoUsd): number {
  return Number(picoUsd) / Number(perUsd)
}

/**
 * Formats an amount, rounded half up: `$12.35`; below $0.10 with four decimals, `$0.0329`; below that `<$0.0001`.
 *
 * @example
 * ```ts
 * import { formatUsd, fromUsd } from 'colloquy/protocol'
 *
 * console.log(formatUsd(fromUsd('12.345')), formatUsd(fromUsd('0.03291'))) // $12.35 $0.0329
 * ```
 */
export function formatUsd(picoUsd: PicoUsd): string {
  if (typeof picoUsd !== 'bigint') {
    throw new AnthropicError(
      `Cannot write an amount of money as it must be a bigint of picodollars: found ${describeValue(picoUsd)}`,
    )
  }
  const sign = picoUsd < 0n ? '-' : ''
  const amount = picoUsd < 0n ? -picoUsd : picoUsd
  if (amount === 0n) return '$0.00'
  if (amount < perUsd / 10_000n) return sign ? '>-$0.0001' : '<$0.0001'
  const decimals = amount < perUsd / 10n ? 4 : 2
  const unit = perUsd / 10n ** BigInt(decimals)
  const rounded = String((amount + unit / 2n) / unit).padStart(decimals + 1, '0')
  return `${sign}$${rounded.slice(0, -decimals)}.${rounded.slice(-decimals)}`
}
