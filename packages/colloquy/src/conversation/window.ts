import { priceAt } from '../protocol/cost.ts'
import type { Engine } from '../protocol/engine.ts'
import { AnthropicError } from '../protocol/error.ts'
import { findModel } from '../protocol/models.ts'
import type { MessageCreateParams } from '../protocol/params.ts'
import { answersCalls } from './branches.ts'
import { tokensTo } from './budget.ts'
import type { History } from './history.ts'
import type { ReplyRecord } from './money.ts'
import type { ConversationSettings } from './settings.ts'

/** What happens before a request that would be longer than the model's window, or than wanted. */
export interface Window {
  /**
   * `fail`: a `WindowError`. `drop`: the oldest turns are not sent any more, whole ones, down to half the limit, so that
   * what is sent begins at the same message, and is read from the prompt cache, for many turns. They stay in the store.
   */
  policy: 'fail' | 'drop'
  /**
   * The longest prompt, in tokens. Default: the model's window; for `drop` without room for `max_tokens`, and no more than
   * costs the lowest price for a token.
   */
  atTokens?: number
  /** How many turns `drop` goes on sending, the one that is asked included. Default: what half the limit holds. */
  keepTurns?: number
}

/** The prompt is longer than the window allows. Nothing was written and nothing was sent. */
export class WindowError extends AnthropicError {
  override name = 'WindowError'
  readonly promptTokens: number
  readonly limit: number

  constructor(promptTokens: number, limit: number) {
    super(`Cannot send a prompt of ${promptTokens} tokens: found a window of ${limit}`)
    this.promptTokens = promptTokens
    this.limit = limit
  }
}

/** Throws where a member is not what it must be. */
export function checkWindow({ policy, atTokens, keepTurns }: Window): void {
  if (policy !== 'fail' && policy !== 'drop') {
    throw new AnthropicError(`Cannot set window.policy as it must be 'fail' or 'drop': found ${JSON.stringify(policy)}`)
  }
  for (const [name, count] of Object.entries({ atTokens, keepTurns })) {
    if (count === undefined || (Number.isInteger(count) && count > 0)) continue
    throw new AnthropicError(
      `Cannot set window.${name} as it must be a positive integer: found ${JSON.stringify(count)}`,
    )
  }
}

/** What is to be sent: what stands in the history, and behind it the messages that are added, as JSON. */
export interface Asked {
  settings: ConversationSettings
  history: History
  added: readonly string[]
}

/** Where in a history the sent part begins. */
export interface Cut {
  /** How many of the first records are not sent. */
  dropped: number
  /** The cut is not where it was for the last reply: the API's cache knows nothing of this beginning. */
  moved: boolean
  /** The prompt's tokens, by estimate: what the last usage told, and a token for 3 characters of what is new. */
  tokens: number
}

/** Where the sent part begins, by the settings' policy and by where it began for the last reply. */
export function cutFor({ settings, history, added }: Asked): Cut {
  const before = droppedBefore(history)
  const drops = settings.window?.policy === 'drop'
  const dropped = drops ? before : 0
  const known = dropped === before ? tokensTo(history) : undefined
  const sizes = added.map(sizeOf)
  const rest = (): number[] => history.records.slice(dropped).map(({ json }) => sizeOf(json))
  const tokens =
    known === undefined ? tokensOf([...rest(), ...sizes, sizeOf(JSON.stringify(settings))]) : known + tokensOf(sizes)
  const cut = { dropped, moved: dropped !== before, tokens }
  const limit = dropLimit(settings)
  if (!drops || limit === undefined || tokens <= limit) return cut
  return cutFurther({ history, added, sizes: [...rest(), ...sizes] }, cut, {
    limit,
    keepTurns: settings.window?.keepTurns,
  })
}

/** Throws `WindowError` where the prompt cannot fit. What is near the limit is counted by the engine, if it counts. */
export async function checkFits(
  request: () => MessageCreateParams,
  { tokens }: Cut,
  asked: Asked,
  engine: Engine,
): Promise<void> {
  const limit = asked.settings.window?.atTokens ?? windowOf(asked.settings)
  // The estimate errs on the side of too much, so that it refuses nothing by itself.
  if (limit === undefined || tokens <= limit || !engine.countTokens) return
  const { max_tokens: _, stream: __, metadata: ___, stop_sequences: ____, ...counted } = request()
  const { input_tokens: found } = await engine.countTokens(counted)
  if (found > limit) throw new WindowError(found, limit)
}

interface Sized extends Pick<Asked, 'history' | 'added'> {
  /** Of each message that was sent up to now, and of those added. */
  sizes: readonly number[]
}

function cutFurther(
  { history, added, sizes }: Sized,
  cut: Cut,
  { limit, keepTurns }: { limit: number; keepTurns: number | undefined },
): Cut {
  const starts = turnStarts(history, added).filter((index) => index > cut.dropped)
  const all = sizes.reduce((sum, size) => sum + size, 0)
  const tokensFrom = (index: number): number => {
    const left = sizes.slice(index - cut.dropped).reduce((sum, size) => sum + size, 0)
    return Math.ceil((cut.tokens * left) / all)
  }
  const most = keepTurns === undefined ? limit / 2 : limit
  const isEnough = (start: number, place: number): boolean =>
    tokensFrom(start) <= most && (keepTurns === undefined || starts.length - place <= keepTurns)
  // Where even the last turn is too long it is sent alone.
  const dropped = starts.find(isEnough) ?? starts.at(-1)
  return dropped === undefined ? cut : { dropped, moved: true, tokens: tokensFrom(dropped) }
}

/** Where turns begin that the user began: a result is never sent without its call. */
function turnStarts({ records }: History, added: readonly string[]): number[] {
  const messages = [...records, ...added.map((json) => ({ ...(JSON.parse(json) as { role: string }), json }))]
  return messages.flatMap((message, index) =>
    message.role === 'user' && message.json !== '' && !answersCalls(message) ? [index] : [],
  )
}

/** How many of the first records were not sent when the last reply was asked for. */
function droppedBefore({ records }: History): number {
  const last = records.findLast(({ reply }) => reply !== null)
  if (last?.reply == null || !last.reply.includes('"dropped"')) return 0
  return (JSON.parse(last.reply) as ReplyRecord).dropped ?? 0
}

function dropLimit(settings: ConversationSettings): number | undefined {
  const { model, max_tokens: reply, window } = settings
  if (window?.atTokens !== undefined) return window.atTokens
  const size = windowOf(settings)
  if (size === undefined) return undefined
  const entry = findModel(model)
  const nextBand = entry && priceAt(entry, new Date())?.bands[1]?.abovePromptTokens
  return Math.min(Math.max(size - reply, 1), nextBand ?? size)
}

/** The model's window in tokens; undefined where nothing is known of it, or where the API shortens the prompt itself. */
function windowOf(settings: ConversationSettings): number | undefined {
  if ('context_management' in settings) return undefined
  const isLong = settings.betas?.some((beta) => beta.startsWith('context-1m'))
  const size = findModel(settings.model)?.contextTokens
  return size !== undefined && isLong ? Math.max(size, 1_000_000) : size
}

/** Characters, but of an image as many as it has tokens. */
function sizeOf(json: string): number {
  if (!json.includes('"data":"')) return json.length
  let blocks = 0
  const rest = json.replace(/"data":"[^"]{400,}"/g, () => (blocks++, ''))
  return rest.length + blocks * mostImageTokens * charactersPerToken
}

const mostImageTokens = 4_784
const charactersPerToken = 3

function tokensOf(sizes: readonly number[]): number {
  return Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / charactersPerToken)
}
