/** A number of tokens: `930`, `1.2k`, `15k`, `1.0M`. */
export function tokenText(count: number): string {
  if (count < 1_000) return String(count)
  if (count < 9_950) return `${(count / 1_000).toFixed(1)}k`
  if (count < 999_500) return `${Math.round(count / 1_000)}k`
  return `${(count / 1e6).toFixed(1)}M`
}

/** An amount in dollars: `$4.82`, `$0.033`, `$0.000041`. Below a cent it has two digits that count. */
export function moneyText(usd: string | number): string {
  const value = Number(usd)
  if (value === 0) return '$0'
  const magnitude = Math.floor(Math.log10(Math.abs(value)))
  const digits = value >= 1 ? 2 : Math.min(12, 1 - magnitude)
  return `$${value.toFixed(Math.max(2, digits))}`
}

/** The cost of a chat. Empty if it has only replies without a price, such as those of a model on this machine. */
export function totalText({ usd, estimated, unpriced }: { usd: string; estimated: boolean; unpriced: number }): string {
  return unpriced > 0 && usd === '0' ? '' : `${estimated ? '≈' : ''}${moneyText(usd)}`
}

/** An amount on an axis: all have as many digits as the step between them needs. */
export function moneyTick(usd: number, step: number): string {
  const digits = String(Number(step.toPrecision(2))).split('.')[1]?.length ?? 0
  return `$${usd.toFixed(digits === 1 ? 2 : digits)}`
}

/** `40 ms`, `10.4 s`, from one minute on `2 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
}

/** `1 turn`, `2 turns`. */
export function countText(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** The number of turns that messages are, such as `2 turns`. */
export function turnsText(messages: number): string {
  return countText(Math.ceil(messages / 2), 'turn')
}

/** `9 B`, `2.1 KB`, `1.5 MB`, in powers of 1,000. */
export function byteText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} KB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** `10:02` today, otherwise `21 Nov, 10:02`, in the language and time zone of the browser. */
export function timeText(at: string, now: Date = new Date()): string {
  const date = new Date(at)
  const time = date.toLocaleTimeString([], { timeStyle: 'short' })
  if (date.toDateString() === now.toDateString()) return time
  return `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })}, ${time}`
}

/** The heading that a chat of the time stands under in a list: `Today`, `Yesterday`, `This week`, `November 2026`. */
export function periodText(at: string, now: Date = new Date()): string {
  const date = new Date(at)
  const days = Math.round((startOfDay(now) - startOfDay(date)) / 86_400_000)
  if (days <= 0) return 'Today'
  if (days === 1) return 'Yesterday'
  if (days < 7) return 'This week'
  return date.toLocaleDateString('en', { month: 'long', year: 'numeric' })
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
}

/** The number of words, for announcements. */
export function wordCount(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

/** An amount as it is spoken: `3 cents`, `less than a cent`, `4.82 dollars`. */
export function spokenMoney(usd: string | undefined): string {
  if (usd === undefined) return 'no price'
  const cents = Number(usd) * 100
  if (cents === 0) return 'no cost'
  if (cents < 1) return 'less than a cent'
  return cents < 100 ? countText(Math.round(cents), 'cent') : `${(cents / 100).toFixed(2)} dollars`
}

/** The date and the time with the zone of the browser. */
export function dateTimeText(at: string): string {
  return new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' })
}

/**
 * Text with the Unicode characters that reorder what stands around them as their numbers, such as `[U+202E]`. Code can look as
 * if it did something else, and a file as if it had another name. Marks of a direction stay: Arabic and Hebrew need them.
 */
export function visibleText(text: string): string {
  return text.replaceAll(
    /[\u202a-\u202e\u2066-\u2069]/g,
    (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`,
  )
}
