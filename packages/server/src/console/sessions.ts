import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { apiError } from 'colloquy/protocol'

const cookieName = 'colloquy_session'
const sessionMs = 30 * 24 * 60 * 60 * 1_000
const tokenMs = 10 * 60 * 1_000

/**
 * Sessions of browsers. A token from the address of the page is exchanged once for a cookie. Both are signed, so that a
 * program with the same secret can make a token for a server that runs, and cookies stay valid after a restart.
 */
export class Sessions {
  readonly #secret: Uint8Array
  readonly #startedAt = Date.now()
  /** The tokens that were used, until they would have expired. */
  readonly #used = new Map<string, number>()

  /** @param secret at least 32 random bytes. */
  constructor(secret: Uint8Array) {
    if (secret.byteLength < 32) {
      throw new RangeError(`Cannot sign sessions as the secret must have 32 bytes: it has ${secret.byteLength}`)
    }
    this.#secret = secret
  }

  /** A token for one visit, valid for ten minutes: `http://127.0.0.1:4141/#k=TOKEN`. */
  newToken(): string {
    return this.#sign('token')
  }

  /** A token for programs, valid as long as the secret is: `Authorization: Bearer TOKEN`. */
  get programToken(): string {
    return this.#mac('program').toString('base64url')
  }

  /**
   * Exchanges a token for the value of a `Set-Cookie` header. Throws the API's 401 for one that is wrong, old or used.
   *
   * @param isSecure whether the page was read over TLS: the browser then sends the cookie over TLS only.
   */
  exchange(token: string, isSecure = false): string {
    const signedAt = this.#verify('token', token)
    const now = Date.now()
    for (const [used, at] of this.#used) if (at + tokenMs < now) this.#used.delete(used)
    // A token from before a restart may have been used before it.
    const isFresh = signedAt !== undefined && signedAt >= this.#startedAt && signedAt + tokenMs > now
    if (!isFresh || this.#used.has(token))
      throw noSession('This is neither an admin key nor a link that is still valid: a link works once, for ten minutes')
    this.#used.set(token, signedAt)
    const attributes = `Path=/; Max-Age=${sessionMs / 1_000}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
    return `${cookieName}=${this.#sign('cookie')}; ${attributes}`
  }

  /** The value of a `Set-Cookie` header that ends the session of a browser. */
  get ended(): string {
    return `${cookieName}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`
  }

  /** Whether a request carries a cookie, or the token for programs. */
  has({ headers }: Request): boolean {
    const bearer = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (bearer !== undefined) return isEqual(Buffer.from(bearer), Buffer.from(this.programToken))
    const cookies = (headers.get('cookie') ?? '').split(';').map((cookie) => cookie.trim().split('='))
    return cookies.some(([name, value]) => {
      const signedAt = name === cookieName && value ? this.#verify('cookie', value) : undefined
      return signedAt !== undefined && signedAt + sessionMs > Date.now()
    })
  }

  /** Throws the API's 401 unless a request has a session. */
  check(request: Request): void {
    if (!this.has(request)) throw noSession('There is no session: open the link that the server prints')
  }

  /** A value with the time, signed for a purpose. */
  #sign(purpose: string): string {
    const payload = Buffer.alloc(22)
    randomBytes(16).copy(payload)
    payload.writeUIntBE(Date.now(), 16, 6)
    return Buffer.concat([payload, this.#mac(purpose, payload)]).toString('base64url')
  }

  /** The time at which a value was signed; undefined if it was not. */
  #verify(purpose: string, value: string): number | undefined {
    const bytes = Buffer.from(value, 'base64url')
    const [payload, mac] = [bytes.subarray(0, 22), bytes.subarray(22)]
    if (bytes.toString('base64url') !== value || !isEqual(mac, this.#mac(purpose, payload))) return undefined
    return payload.readUIntBE(16, 6)
  }

  #mac(purpose: string, payload: Uint8Array = new Uint8Array()): Buffer {
    return createHmac('sha256', this.#secret).update(`${purpose}\0`).update(payload).digest()
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other)
}

function noSession(message: string): Error {
  return apiError('authentication_error', message)
}
