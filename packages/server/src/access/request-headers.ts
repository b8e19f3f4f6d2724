/** The headers of a request: those of the web's class, or of Node's server. */
export interface RequestHeaders {
  /** The value of a header by its lower-case name. Null if it is missing. */
  get(name: string): string | null
}
