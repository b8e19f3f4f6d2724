import { inPieces, newId } from 'colloquy/engines'
import {
  APIError,
  isRetryableStatus,
  keepJson,
  type Message,
  type MessageCreateParams,
  parseJson,
} from 'colloquy/protocol'
import type { Access, Caller } from '../../access/access.ts'
import { RequestLog } from '../../operate/request-log.ts'
import { SignsOfLife } from '../../ledger/signs-of-life.ts'
import type { Database } from '../../state/database.ts'
import { checkFiles } from '../files/resolve.ts'
import type { FileStore } from '../files/file-store.ts'
import { errorAnswer } from '../error-answer.ts'
import type { UpstreamAccount, UpstreamResult } from '../upstream-account.ts'
import { BatchQueue } from './batch-queue.ts'
import { RepeatedLook } from './repeated-look.ts'
import { type ItemOutcome, UpstreamBatches, type UpstreamBatchRow, type WaitingItem } from './upstream-batches.ts'

/** The account that runs batches, and who pays. */
export interface UpstreamWorkerOptions {
  account: UpstreamAccount['messages']['batches']
  access: Access | undefined
  /** Undefined if the files of the account are not kept apart. */
  files: FileStore | undefined
  now: () => number
  pollMs: number
  /** Milliseconds without a sign of life after which another server looks after the batches of one. */
  leaseMs: number
}

const resultsAtOnce = 100

/** Sends batches to an account of the API, and fetches their results. Another server continues if this one ends. */
export class UpstreamWorker {
  readonly #queue: BatchQueue
  readonly #batches: UpstreamBatches
  readonly #options: UpstreamWorkerOptions
  readonly #looks: RepeatedLook
  readonly #signs: SignsOfLife

  constructor(database: Database, options: UpstreamWorkerOptions) {
    const { leaseMs, pollMs } = options
    const lease = { owner: newId('worker_01'), leaseMs: Math.max(leaseMs, 4 * pollMs) }
    this.#queue = new BatchQueue(database, lease)
    this.#batches = new UpstreamBatches(database, lease)
    this.#signs = new SignsOfLife(lease.leaseMs)
    this.#options = options
    this.#looks = new RepeatedLook(() => this.#look(), pollMs)
    this.wake()
  }

  /** Looks at the batches at once. */
  wake(): void {
    this.#looks.wake()
  }

  /** Waits for the step in hand, and lets other servers continue. */
  async close(): Promise<void> {
    await this.#looks.close()
    // Without the database the leases run out by themselves.
    await this.#batches.release().catch(() => {})
  }

  /** Deletes a batch in the account too, if it is still there. */
  async remove(id: string): Promise<void> {
    const upstreamId = await this.#batches.upstreamId(id)
    if (upstreamId === undefined) return
    try {
      await this.#options.account.delete(upstreamId)
    } catch (error) {
      if ((error as { status?: unknown }).status !== 404) throw error
    }
  }

  async #look(): Promise<void> {
    const dead = this.#signs.dead(await this.#batches.others(), performance.now())
    for (const id of await this.#queue.open()) {
      if (this.#looks.isClosed) return
      const row = await this.#batches.take(id, { now: this.#options.now(), dead })
      // An account that does not answer now is tried at the next look.
      if (row) await this.#step(row).catch(() => {})
    }
    await this.#queue.clean(this.#options.now())
  }

  async #step(row: UpstreamBatchRow): Promise<void> {
    const { account, now } = this.#options
    if (row.upstream_id === null) {
      if (row.cancel_at === null && row.expires_at > now()) await this.#send(row)
      return this.#queue.endIfDone(row.id, { now: now(), dead: [] })
    }
    const { processing_status: status } = await account.retrieve(row.upstream_id)
    if (status === 'in_progress' && row.cancel_at !== null) await account.cancel(row.upstream_id)
    if (status !== 'ended') return
    await this.#fetchResults(row, row.upstream_id)
    await this.#queue.endIfDone(row.id, { now: now(), dead: [] })
  }

  /** Sends the requests that their key may send. The others get an error. */
  async #send(row: UpstreamBatchRow): Promise<void> {
    const { account } = this.#options
    const requests = await this.#payable(row, await inPieces(parseItems(await this.#batches.waiting(row.id))))
    if (requests.length === 0) return
    const betas = (JSON.parse(row.betas) as string[]).join(',')
    const headers = { 'anthropic-version': row.version, ...(betas !== '' && { 'anthropic-beta': betas }) }
    try {
      const { id } = await account.create({ requests: asReceived(requests) } as never, { headers })
      await this.#batches.sent(row.id, id)
    } catch (error) {
      // An account that does not accept this server's key is not a mistake of the client: the batch waits until the key is right.
      if (!isFinal(error) || (error as { status?: unknown }).status === 401) throw error
      await this.#refuse(row.id, requests, error)
    }
  }

  async #payable(row: UpstreamBatchRow, items: readonly ParsedItem[]): Promise<readonly ParsedItem[]> {
    const payable: ParsedItem[] = []
    const ofKey = new Map<string, Promise<unknown>>()
    for (const item of items) {
      const { model, messages } = item.params
      const name = String(model)
      const check = ofKey.get(name) ?? refusalOf(() => this.#checkKey(row, name))
      ofKey.set(name, check)
      const refusal = (await check) ?? (await refusalOf(() => this.#checkFiles(row, messages)))
      if (refusal === undefined) payable.push(item)
      else await this.#refuse(row.id, [item], refusal)
    }
    return payable
  }

  async #checkKey({ key_id, workspace }: UpstreamBatchRow, model: string): Promise<void> {
    const { access } = this.#options
    if (access) await access.checkKey(await access.recall(key_id, workspace), model)
  }

  async #checkFiles({ workspace }: UpstreamBatchRow, messages: unknown): Promise<void> {
    const { files } = this.#options
    if (files) await checkFiles(messages, files, workspace)
  }

  async #refuse(id: string, items: readonly ParsedItem[], error: unknown): Promise<void> {
    const { body } = errorAnswer(error, newId('req_01'))
    const result = JSON.stringify({ type: 'errored', error: body })
    await this.#batches.finish(
      id,
      items.map(({ custom_id }) => ({ custom_id, outcome: 'errored', result })),
    )
  }

  async #fetchResults(row: UpstreamBatchRow, upstreamId: string): Promise<void> {
    let some: UpstreamResult[] = []
    for await (const result of await this.#options.account.results(upstreamId)) {
      some.push(result)
      if (some.length < resultsAtOnce) continue
      await this.#store(row, some)
      some = []
      await this.#batches.take(row.id, { now: this.#options.now(), dead: [] })
    }
    await this.#store(row, some)
  }

  async #store(row: UpstreamBatchRow, results: readonly UpstreamResult[]): Promise<void> {
    const stored = await this.#batches.finish(row.id, results.map(outcomeOf))
    for (const { custom_id, result } of results) {
      const params = stored.get(custom_id)
      // Stored before, by a server that ended: its record was begun there.
      if (params !== undefined && 'message' in result) await this.#record(row, params, result.message as Message)
    }
  }

  /** Enters a reply in the ledger, with the usage that the account reports. */
  async #record({ key_id, workspace }: UpstreamBatchRow, params: string, reply: Message): Promise<void> {
    const { access, now } = this.#options
    if (!access) return
    const log = new RequestLog({ method: 'POST', path: '/v1/messages/batches' }, { now })
    const caller = await access
      .recall(key_id, workspace)
      .catch((): Caller => ({ key: undefined, workspace, isAdmin: false }))
    const sent = JSON.parse(params) as MessageCreateParams
    const { requestId } = log
    const request = { requestId, params: sent, headers: new Headers(), bytes: params.length, at: now() }
    log.accepted({ model: sent.model })
    log.began(access.record(caller, { ...request, source: 'batch' }))
    log.replied(reply)
    log.responded(200)
  }
}

/** A request of a batch, as it is sent. */
interface ParsedItem {
  custom_id: string
  params: { model?: unknown; messages?: unknown }
  /** The JSON of the params. */
  json: string
}

/** The requests with the JSON that the client sent, which encoding them again could change. */
function asReceived(items: readonly ParsedItem[]): object {
  const requests = items.map(({ custom_id, params }) => ({ custom_id, params }))
  const texts = items.map(({ custom_id, json }) => `{"custom_id":${JSON.stringify(custom_id)},"params":${json}}`)
  return keepJson(requests, `[${texts.join(',')}]`)
}

function* parseItems(items: readonly WaitingItem[]): Generator<void, ParsedItem[]> {
  const parsed: ParsedItem[] = []
  for (const { custom_id, params } of items) {
    parsed.push({ custom_id, params: parseJson(params) as ParsedItem['params'], json: params })
    yield
  }
  return parsed
}

/** The error of a check whose request would fail again. Other errors are thrown: a database that does not answer now. */
async function refusalOf(check: () => Promise<void>): Promise<unknown> {
  try {
    await check()
    return undefined
  } catch (error) {
    if (!isFinal(error)) throw error
    return error
  }
}

function outcomeOf({ custom_id, result }: UpstreamResult): ItemOutcome & { custom_id: string } {
  const outcome = result.type as ItemOutcome['outcome']
  const isRun = outcome === 'succeeded' || outcome === 'errored'
  return { custom_id, outcome, result: isRun ? JSON.stringify(result) : null }
}

/** Whether a request would fail again. An error of another client's class tells it by its status. */
function isFinal(error: unknown): boolean {
  const { status } = error as { status?: unknown }
  if (error instanceof APIError && error.headers?.get('x-should-retry') === 'false') return true
  return typeof status === 'number' && !isRetryableStatus(status)
}
