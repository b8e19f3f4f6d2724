import { programName } from '../terminal/program-name.ts'

interface ErrorWords {
  /** The failure, before the words of the API. */
  opening: string
  /** Advice on the next step. Absent if only the words of the API can tell. */
  advice?: string
}

/** The API's error types. The advice about keys depends on the engine: `keyAdvice()`. */
export const errorWords: Readonly<Record<string, ErrorWords>> = {
  invalid_request_error: { opening: 'The request was rejected' },
  authentication_error: { opening: 'The key was not accepted' },
  billing_error: {
    opening: 'There is a problem with the billing of this account',
    advice: 'Add credit to the account, or use the key of another one.',
  },
  permission_error: { opening: 'This key may not do that' },
  not_found_error: { opening: 'Not found', advice: `${programName} models lists the models that can reply.` },
  conflict_error: { opening: 'Something else changed at the same time', advice: 'Try again.' },
  request_too_large: { opening: 'The request is too large', advice: 'Attach fewer or smaller files.' },
  rate_limit_error: { opening: 'Too many requests', advice: 'Wait a minute, then try again.' },
  overloaded_error: { opening: 'The API is overloaded', advice: 'Wait a minute, then try again.' },
  api_error: { opening: 'The API failed', advice: 'Try again.' },
  timeout_error: { opening: 'The API took too long', advice: 'Try again.' },
}

interface ConnectionWords {
  /** The finding, after the address. */
  found: string
  advice: string
}

const unknownName = { found: 'no such host was found', advice: 'Look at the address and at your network.' }
const noWay = { found: 'there is no way to it', advice: 'Look at your network.' }
const closed = { found: 'it closed the connection', advice: 'Try again.' }
const silent = { found: 'it did not answer in time', advice: 'Look at your network, then try again.' }
const noTls = {
  found: 'it does not speak TLS',
  advice: 'Its address may have to begin with http:// instead of https://.',
}
const untrusted = {
  found: 'its certificate is not trusted',
  advice: 'NODE_EXTRA_CA_CERTS can name a file with the certificate of your own authority.',
}

const connectionWords: Readonly<Record<string, ConnectionWords>> = {
  EAI_AGAIN: unknownName,
  ENOTFOUND: unknownName,
  ECONNREFUSED: { found: 'nothing listens there', advice: 'Start the server, or look at its address.' },
  ECONNRESET: closed,
  EPIPE: closed,
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  ETIMEDOUT: silent,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  CERT_HAS_EXPIRED: { found: 'its certificate has expired', advice: 'Look at the clock of this machine.' },
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: { found: 'its certificate is for another host', advice: 'Look at the address.' },
}

/** The words for a failed connection, from its code, such as `ECONNREFUSED`, or a text that has the code in parentheses. */
export function wordsOfConnection(code: string | undefined, text = ''): ConnectionWords | undefined {
  return connectionWords[code ?? /\(([A-Z_]+)\)/.exec(text)?.[1] ?? '']
}

/**
 * The text with what was found before a code in parentheses or at the end of a sentence: `: ECONNREFUSED` and ` (ECONNREFUSED)`
 * become `: nothing listens there (ECONNREFUSED)`.
 */
export function withFoundWords(text: string): string {
  return text.replace(
    / \(([A-Z_]+)\)|: ([A-Z_]+)(?=\.?$|\. )/g,
    (whole, inside: string | undefined, last: string | undefined) => {
      const code = inside ?? last ?? ''
      const words = connectionWords[code]
      return words === undefined ? whole : `: ${words.found} (${code})`
    },
  )
}
