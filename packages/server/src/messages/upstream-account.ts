/**
 * The part of a client that holds batches and files for a server, of this library's client or the official one. Their types
 * differ, so that results are declared here as far as they are read.
 */
export interface UpstreamAccount {
  messages: { batches: UpstreamBatches }
  files: UpstreamFiles
}

export interface UpstreamBatches {
  create(params: never, options: { headers: Record<string, string> }): PromiseLike<{ id: string }>
  retrieve(id: string): PromiseLike<{ processing_status: string }>
  cancel(id: string): PromiseLike<unknown>
  delete(id: string): PromiseLike<unknown>
  results(id: string): PromiseLike<AsyncIterable<UpstreamResult>>
}

/** A line of the results of a batch. */
export interface UpstreamResult {
  custom_id: string
  result: { type: string }
}

export interface UpstreamFiles {
  upload(params: { file: File; expires_in_seconds?: number }): PromiseLike<{ id: string }>
  download(id: string): PromiseLike<Response>
  delete(id: string): PromiseLike<unknown>
}

/** Options of `passOn`. */
export interface PassOnOptions {
  /** The client of the account, such as the one of `upstream()`. */
  client: UpstreamAccount
  /** Default true. Otherwise requests of batches are sent on one by one, at the full price. */
  batches?: boolean
  /** Default true. Otherwise clients cannot use files. */
  files?: boolean
  /** Milliseconds between two looks at the batches of the account. Default 10,000. */
  pollMs?: number
}
