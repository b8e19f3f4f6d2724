// Beta: further fields of requests.

/** Keeps the history on the server: creates a thread, or continues one. */
export type ThreadParams = ThreadCreateParams | ThreadContinueParams

/** Creates a thread. */
export interface ThreadCreateParams {
  type: 'create'
}

/** Continues a thread. */
export interface ThreadContinueParams {
  type: 'continue'
  /** The last reply of the thread. */
  previous_message_id: string
}

/** The organization that pays for a request. */
export interface BillingPolicy {
  type: 'billing_policy'
  bill_to?: 'self' | 'user_profile'
}

/** The tokens that a task may use, over several requests. */
export interface TokenTaskBudget {
  type: 'tokens'
  total: number
  /** Default: all of them. */
  remaining?: number | null
}
