import { countWords, type History } from './history.ts'

export const introduction = "I am Colloquy's offline engine: a small program with fixed rules, not a language model."

/** The ways to a real model, for a reader who meets this program instead of one. */
const advice =
  'For a real model, set `ANTHROPIC_API_KEY`, or fetch a small one for this machine with the command `models get smollm2`.'

/** The reply to a message that no rule answers: what this program is, what it read, and how to get a real model. */
export function fallback(history: History): string {
  const isFirst = history.turns.length === 1
  const opening = isFirst ? `${introduction} I have no rule for this message.` : 'I have no rule for this message.'
  const able = isFirst
    ? ' I can calculate, count, recall what you tell me, write lists, tables and code by heart, call tools and describe files.'
    : ''
  return `${opening}${able}\n\n${readSoFar(history)}\n\n${advice}`
}

/** The sizes of everything that was sent, which show that the whole history arrived. */
function readSoFar({ turns, system }: History): string {
  const own = turns.filter(({ role }) => role === 'user')
  const files = turns.flatMap(({ blocks }) => blocks).filter(({ type }) => type === 'image' || type === 'document')
  const replies = turns.length - own.length
  const parts = [
    plural(own.length, 'message') + ' of yours',
    replies > 0 && `${replies === 1 ? '1 reply' : `${replies} replies`} of mine`,
    system !== '' && `a system prompt of ${plural(countWords(system), 'word')}`,
    files.length > 0 && plural(files.length, 'file'),
  ]
  return `I read ${enumerated(parts.filter((part) => part !== false))}.`
}

function enumerated(parts: readonly string[]): string {
  return parts.length < 3 ? parts.join(' and ') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

export function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
