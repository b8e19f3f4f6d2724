/** Money is counted in picodollars, 10⁻¹² USD, as a `bigint`: every list price times a token count is a whole number of them. */
export type PicoUsd = bigint

const perUsd = 1_000_000_000_000n

/** Reads a list price in USD per million tokens, such as `'0.125'`, as picodollars per token. */
export function perToken(usdPerMillionTokens: string): PicoUsd {
  return readDecimal(usdPerMillionTokens, 6)
}

/** Reads dollars that somebody wrote, such as a limit: `'0.5'`, or the number by its shortest decimal. The inverse of `toUsd`. */
export function fromUsd(usd: string | number): PicoUsd {
  return readDecimal(String(usd), 12)
}

/** A decimal number as a whole number of its `decimals`th decimals. */
function readDecimal(text: string, decimals: number): bigint {
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined || fraction.length > decimals)
    throw new RangeError(
      `Cannot read an amount of money as it is no decimal number of at most ${decimals} decimals: ${text}`,
    )
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/** For charts and JSON; a float is exact to about a millionth of a cent here, and never goes back into a sum. */
export function toUsd(picoUsd: PicoUsd): number {
  return Number(picoUsd) / Number(perUsd)
}

/** `$12.35`, `$0.35`; below a dime four decimals: `$0.0329`; below a hundredth of a cent `<$0.0001`. Rounds half up. */
export function formatUsd(picoUsd: PicoUsd): string {
  const sign = picoUsd < 0n ? '-' : ''
  const amount = picoUsd < 0n ? -picoUsd : picoUsd
  if (amount === 0n) return '$0.00'
  if (amount < perUsd / 10_000n) return sign ? '>-$0.0001' : '<$0.0001'
  const decimals = amount < perUsd / 10n ? 4 : 2
  const unit = perUsd / 10n ** BigInt(decimals)
  const rounded = String((amount + unit / 2n) / unit).padStart(decimals + 1, '0')
  return `${sign}$${rounded.slice(0, -decimals)}.${rounded.slice(-decimals)}`
}
