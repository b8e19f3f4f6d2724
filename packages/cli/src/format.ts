import { cutText, type ToolResultBlockParam } from 'colloquy/protocol'

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`, from 14 days on the date. */
export function ageText(at: Date | number, now: number = Date.now()): string {
  const minutes = Math.floor((now - Number(at)) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`
  const days = Math.floor(minutes / (24 * 60))
  return days < 14 ? `${days} ${days === 1 ? 'day' : 'days'} ago` : new Date(at).toISOString().slice(0, 10)
}

/** Whether a text is a day, such as `2026-11-15`. `Date.parse()` reads 30 February as 2 March. */
export function isDay(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** A number of tokens: `930`, `1.2k`, `15k`, `1.0M`. */
export function tokenText(count: number): string {
  if (count < 1000) return String(count)
  if (count < 9950) return `${(count / 1000).toFixed(1)}k`
  if (count < 999_500) return `${Math.round(count / 1000)}k`
  return `${(count / 1e6).toFixed(1)}M`
}

/** `10.4 s`, from one minute on `2 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** `40 ms`, from 950 ms on as `durationText()`: of requests, which may take less than a tenth of a second. */
export function latencyText(ms: number): string {
  return ms < 950 ? `${Math.round(ms)} ms` : durationText(ms)
}

/** `9 B`, `2.1 KB`, `1.5 MB`, in powers of 1,000. */
export function byteText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 999_950) return `${(bytes / 1000).toFixed(1)} KB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** `Retry 1 of 2 in 3 s`. Retry 0 is the request that continues a reply that broke off. */
export function retryText({ retry, maxRetries }: { retry: number; maxRetries: number }, seconds: string): string {
  return retry === 0 ? `Continuing the reply in ${seconds} s` : `Retry ${retry} of ${maxRetries} in ${seconds} s`
}

/** `1 message`, `2 messages`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The first line that is not blank, cut to 60 characters. */
export function firstLine(text: string): string {
  const line = text.split('\n').find((one) => one.trim() !== '') ?? ''
  return cutText(line, 60)
}

/** The text on one line: each run of white space becomes one space. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** The text of a tool's result. Blocks of other types are named in brackets. */
export function resultText(content: ToolResultBlockParam['content']): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((block) => (block.type === 'text' ? block.text : `[${block.type}]`)).join('\n')
}

/** The sentence with the period that other sentences may follow. */
export function withPeriod(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`
}
