import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { apiError } from 'colloquy/protocol'

const cookieName = 'colloquy_session'
const sessionMs = 30 * 24 * 60 * 60 * 1_000
const tokenMs = 10 * 60 * 1_000
/** The bytes before a signed text: 16 random ones, and the time. */
const headBytes = 22
const macBytes = 32

export interface Session {
  /** The id of the key that opened it. Empty for a link and for the token of programs. */
  keyId: string
}

/** How the browser has reached the server. */
export interface CookieOptions {
  /** Whether the page was read over TLS: the browser then sends the cookie over TLS only. */
  isSecure: boolean
  /** The path of the server on its host, with a slash at its end. Other programs of the host do not get the cookie. */
  path: string
}

/**
 * Sessions of browsers. A token from the address of the page is exchanged once for a cookie. Both are signed, so that a
 * program with the same secret can make a token for a server that runs, and cookies stay valid after a restart.
 */
export class Sessions {
  readonly #secret: Uint8Array
  /** All secrets whose signatures are accepted. */
  readonly #secrets: readonly Uint8Array[]
  readonly #startedAt = Date.now()
  /** The tokens that were used, until they would have expired. */
  readonly #used = new Map<string, number>()

  /**
   * @param secret at least 32 random bytes.
   * @param accepted further secrets, whose signatures are accepted.
   */
  constructor(secret: Uint8Array, accepted: readonly Uint8Array[] = []) {
    this.#secrets = [secret, ...accepted]
    for (const { byteLength } of this.#secrets)
      if (byteLength < 32)
        throw new RangeError(`Cannot sign sessions as the secret must have 32 bytes: it has ${byteLength}`)
    this.#secret = secret
  }

  /** A token for one visit, valid for ten minutes: `http://127.0.0.1:4141/#k=TOKEN`. */
  newToken(): string {
    return this.#sign('token')
  }

  /** A token for programs, valid as long as the secret is: `Authorization: Bearer TOKEN`. */
  get programToken(): string {
    return programTokenOf(this.#secret)
  }

  /** Exchanges a token for the value of a `Set-Cookie` header. Throws the API's 401 for one that is wrong, old or used. */
  exchange(token: string, options: CookieOptions): string {
    const signedAt = this.#verify('token', token)?.at
    const now = Date.now()
    for (const [used, at] of this.#used) if (at + tokenMs < now) this.#used.delete(used)
    // A token from before a restart may have been used before it.
    const isFresh = signedAt !== undefined && signedAt >= this.#startedAt && signedAt + tokenMs > now
    if (!isFresh || this.#used.has(token))
      throw noSession(
        'This is neither a key that opens this page nor a link that is still valid: a link works once, for ten minutes',
      )
    this.#used.set(token, signedAt)
    return this.cookieFor({ keyId: '' }, options)
  }

  /** The value of a `Set-Cookie` header that begins a session. */
  cookieFor({ keyId }: Session, options: CookieOptions): string {
    return cookie(this.#sign('cookie', keyId), sessionMs, options)
  }

  /** The value of a `Set-Cookie` header that ends the session of a browser. */
  ended(options: CookieOptions): string {
    return cookie('', 0, options)
  }

  /** The session of a request: that of its cookie, or of the token for programs. */
  of({ headers }: Request): Session | undefined {
    const bearer = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (bearer !== undefined) {
      const isValid = this.#secrets.some((secret) => isEqual(Buffer.from(bearer), Buffer.from(programTokenOf(secret))))
      return isValid ? { keyId: '' } : undefined
    }
    for (const cookie of (headers.get('cookie') ?? '').split(';')) {
      const [name, value] = cookie.trim().split('=')
      const signed = name === cookieName && value ? this.#verify('cookie', value) : undefined
      if (signed !== undefined && signed.at + sessionMs > Date.now()) return { keyId: signed.about }
    }
    return undefined
  }

  /** A text with the time, signed for a purpose. */
  #sign(purpose: string, about = ''): string {
    const payload = Buffer.alloc(headBytes)
    randomBytes(16).copy(payload)
    payload.writeUIntBE(Date.now(), 16, 6)
    const signed = Buffer.concat([payload, Buffer.from(about)])
    return Buffer.concat([signed, mac(this.#secret, purpose, signed)]).toString('base64url')
  }

  /** The text, and the time at which it was signed; undefined if it was not. */
  #verify(purpose: string, value: string): { about: string; at: number } | undefined {
    const bytes = Buffer.from(value, 'base64url')
    const [signed, found] = [bytes.subarray(0, -macBytes), bytes.subarray(-macBytes)]
    const isSigned = this.#secrets.some((secret) => isEqual(found, mac(secret, purpose, signed)))
    if (bytes.toString('base64url') !== value || !isSigned) return undefined
    return { about: signed.toString('utf8', headBytes), at: signed.readUIntBE(16, 6) }
  }
}

function programTokenOf(secret: Uint8Array): string {
  return mac(secret, 'program').toString('base64url')
}

function mac(secret: Uint8Array, purpose: string, payload: Uint8Array = new Uint8Array()): Buffer {
  return createHmac('sha256', secret).update(`${purpose}\0`).update(payload).digest()
}

function cookie(value: string, ms: number, { isSecure, path }: CookieOptions): string {
  const attributes = `Path=${path}; Max-Age=${ms / 1_000}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
  return `${cookieName}=${value}; ${attributes}`
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other)
}

export function noSession(message: string): Error {
  return apiError('authentication_error', message)
}
