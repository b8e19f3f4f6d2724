/** Marks the end of a prompt prefix to be cached. At most four a request. */
export interface CacheControlEphemeral {
  type: 'ephemeral'
  /** How long the entry lives after its last use. Default `5m`. */
  ttl?: '5m' | '1h'
}
