import type { MessageCreateParams } from 'colloquy/protocol'
import type { AccessEntry, UnrecordedRequest } from '../operate/request-log.ts'
import type { KeyRecord } from './keys/keys.ts'
import type { RequestHeaders } from './request-headers.ts'

/** Decides who may send requests and how many, and records what they use. `openAccess()` makes one. */
export interface Access {
  /** Finds the sender of a request. Throws the API's 401. */
  admit(headers: RequestHeaders): Caller | Promise<Caller>
  /**
   * Finds the caller that stored something, for work that is done later. Throws the API's 401 if the key is not valid any more.
   *
   * @param keyId empty for a caller without a key.
   */
  recall(keyId: string, workspace: string): Promise<Caller>
  /**
   * Begins a request to `/v1/messages` that has passed validation: checks the models of the key and its limits, and reserves
   * the most that the request can cost. Throws the API's 403 or 429; nothing is reserved then.
   */
  begin(caller: Caller, request: NewRequest): Passage | Promise<Passage>
  /** Begins the record of a request that an upstream has already done and charged: it passes no limit and no budget. */
  record(caller: Caller, request: NewRequest): Passage
  /** Throws the API's 403 if the key may not use the model, and the API's 429 if one of its budgets is spent. */
  checkKey(caller: Caller, model: string): Promise<void>
  /**
   * Records a request that was refused before `begin()`: for its key, its body or its path. Bounded, so that a sender without a
   * key cannot fill the database. Does not throw.
   */
  refused(entry: AccessEntry, request: UnrecordedRequest): void
  /** Answers a request below `/admin`. Throws the API's 403 if the caller is not an admin. */
  admin(request: Request, caller: Caller): Promise<Response>
  /** One sentence for each part that does not work now, for `/readyz`. */
  problems(): string[]
  /** Writes what has been settled. Call it after the server has closed. */
  close(): Promise<void>
}

/** The sender of a request. */
export interface Caller {
  /** Undefined if the server accepts requests without a key. */
  key: KeyRecord | undefined
  /** Everything that is stored belongs to a workspace, and is only found by keys of the same workspace. */
  workspace: string
  /** Whether the key may use the routes below `/admin`. */
  isAdmin: boolean
}

/** A request that asks for a reply. */
export interface NewRequest {
  requestId: string
  params: MessageCreateParams
  headers: RequestHeaders
  /** The bytes of the body. */
  bytes: number
  /** Milliseconds since 1970. */
  at: number
  /** Whether an upstream checks the request, and may add to its prompt. Default false. */
  isForwarded?: boolean
  /** Items of a batch pass no limits per minute, only budgets. Default `api`. */
  source?: 'api' | 'chat' | 'batch'
}

/** A request that has begun. */
export interface Passage {
  /** Headers for the response: the limits and what is left of them. */
  headers: readonly (readonly [name: string, value: string])[]
  /**
   * Replaces the reservation by what the request used. Called once, when its response has ended; does not throw.
   *
   * @returns the cost in picodollars; undefined without a price.
   */
  settle(entry: AccessEntry): bigint | undefined
}
