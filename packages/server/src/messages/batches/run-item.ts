import { StoreError } from 'colloquy/conversation/errors'
import { type Engine, type EngineAttempt, type EngineContext, inPieces } from 'colloquy/engines'
import { APIError, isRetryableStatus, type MessageCreateParams, type ModelEntry } from 'colloquy/protocol'
import type { Access } from '../../access/access.ts'
import { RequestLog } from '../../operate/request-log.ts'
import { errorAnswer } from '../error-answer.ts'
import type { CacheAccounting } from '../cache/cache-accounting.ts'
import type { FileStore } from '../files/file-store.ts'
import { withFiles } from '../files/resolve.ts'
import { parseBody } from '../request/json-body.ts'
import { wholeReply } from '../reply/whole-reply.ts'
import { checkCreate, type RequestContext } from '../validate/request.ts'
import { dictionary, refuse } from '../validate/schema.ts'
import type { ClaimedItem, ItemResult } from './batch-queue.ts'
import type { ReplyEvent, ReplyEvents } from '../reply/reply-events.ts'

/** The engine that answers items, and the rules. */
export interface ItemOptions {
  engine: Engine
  access: Access | undefined
  files: FileStore | undefined
  cache: CacheAccounting | undefined
  models: { find(id: string): ModelEntry | undefined }
  lenient: boolean
  now: () => number
}

/** An item failed in a way that may pass. */
export class ItemPostponed extends Error {
  override name = 'ItemPostponed'
}

const mostAttempts = 5

/**
 * Runs an item of a batch. Returns its reply or its error; throws an `ItemPostponed` if it should be tried later, and the
 * error of the signal if that is aborted.
 */
export async function runItem(item: ClaimedItem, options: ItemOptions, signal: AbortSignal): Promise<ItemResult> {
  const log = new RequestLog({ method: 'POST', path: '/v1/messages' }, { now: options.now })
  try {
    const result = await reply(item, options, { log, signal })
    log.responded(200)
    return { outcome: 'succeeded', result }
  } catch (error) {
    if (signal.aborted) log.clientLeft()
    else log.failed(error)
    const { status, body } = errorAnswer(error, log.requestId)
    log.responded(status)
    if (signal.aborted) throw error
    if (item.attempts < mostAttempts && isTransient(error)) throw new ItemPostponed('later', { cause: error })
    return { outcome: 'errored', result: JSON.stringify({ type: 'errored', error: body }) }
  }
}

interface Running {
  log: RequestLog
  signal: AbortSignal
}

/** The result of an item that succeeds, as JSON. */
async function reply(item: ClaimedItem, options: ItemOptions, { log, signal }: Running): Promise<string> {
  const { engine, access, cache, lenient, now } = options
  const betas = JSON.parse(item.betas) as string[]
  const context: EngineContext & RequestContext = {
    version: item.version,
    betas,
    lenient,
    threads: false,
    models: betas.includes('output-300k-2026-03-24') ? longOutput(options.models) : options.models,
  }
  const given = await inPieces(checkItem(item.params, context))
  const { params, added } = await withFiles(given, { ...options, workspace: item.workspace })
  log.accepted({ model: params.model })
  if (access) {
    const caller = await access.recall(item.key_id, item.workspace)
    const { requestId } = log
    const bytes = new TextEncoder().encode(item.params).length + added
    const headers = new Headers()
    log.began(await access.begin(caller, { requestId, params, headers, bytes, at: now(), source: 'batch' }))
  }
  const onAttempt = (attempt: EngineAttempt): void => log.attempted(attempt)
  const replied = engine(params, { version: item.version, betas, signal, requestId: log.requestId, onAttempt })
  const events = cache?.counted(replied, params, item.workspace) ?? replied
  const message = await wholeReply(engine.forward ? events : asBatch(events), log)
  return `{"type":"succeeded","message":${message}}`
}

const notInBatches = ['speed', 'thread', 'store', 'previous_thread_event_id', 'cache_hint', 'context_hint', 'fallbacks']

function* checkItem(json: string, context: RequestContext): Generator<void, MessageCreateParams> {
  const body = yield* parseBody(json)
  const given = dictionary(body, '')
  for (const name of notInBatches) if (given[name] != null) refuse(name, 'not supported in a batch')
  if (given['stream'] === true) refuse('stream', 'not supported in a batch')
  if (given['max_tokens'] === 0) refuse('max_tokens', '0 is not supported in a batch')
  return yield* checkCreate(body, context)
}

const longOutputModels = /^claude-(?:opus-(?:5-5|5|4-[678])|sonnet-(?:5-5|5|4-6)|haiku-5-5)(?:-\d{8})?$/

/** Raises the longest output of the models that the beta `output-300k-2026-03-24` knows. */
function longOutput(models: ItemOptions['models']): ItemOptions['models'] {
  return {
    find: (id) => {
      const entry = models.find(id)
      return entry && longOutputModels.test(entry.id) ? { ...entry, maxOutputTokens: 300_000 } : entry
    },
  }
}

/** Marks the usage of a reply as that of a batch, which costs half. An upstream charges what its own usage says. */
async function* asBatch(events: ReplyEvents): AsyncGenerator<ReplyEvent> {
  for await (const event of events) {
    if (event.type !== 'message_start') {
      yield event
      continue
    }
    const { message } = event
    yield { ...event, message: { ...message, usage: { ...message.usage, service_tier: 'batch' } } }
  }
}

/** Whether the engine or the database, or the way to it, may answer later. An exceeded budget says that retrying does not help. */
function isTransient(error: unknown): boolean {
  if (error instanceof StoreError) return true
  if (!(error instanceof APIError)) return false
  const { status, headers } = error
  return headers?.get('x-should-retry') !== 'false' && (status === undefined || isRetryableStatus(status))
}
