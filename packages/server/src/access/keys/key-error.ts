/** A mistake of the caller: a name that is taken, or a key that does not exist. */
export class KeyError extends Error {
  override name = 'KeyError'
  readonly code: 'exists' | 'not_found' | 'invalid'

  constructor(code: KeyError['code'], message: string) {
    super(message)
    this.code = code
  }
}
