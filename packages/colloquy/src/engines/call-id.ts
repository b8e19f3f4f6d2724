import { isObject } from '../protocol/json/json-object.ts'
import { newId } from './id.ts'

// Gemini signs its calls and refuses a history in which a signature is missing. The Messages API has no place for that, so it
// travels in the id of the call: clients send ids back as they are.

/** A new id for a call. It carries the fields that the server wants back with the call. */
export function callIdWith(extra: unknown): string {
  const id = newId('toolu_01')
  return isObject(extra) ? `${id}-${base64url(JSON.stringify(extra))}` : id
}

/** The id itself, and the fields that it carries. */
export function callIdParts(id: string): { id: string; extra?: object } {
  const [, own, carried] = /^(toolu_01\w{22})-([\w-]+)$/.exec(id) ?? []
  if (own === undefined || carried === undefined) return { id }
  try {
    const extra: unknown = JSON.parse(textOf(carried))
    return isObject(extra) ? { id: own, extra } : { id }
  } catch {
    return { id }
  }
}

function base64url(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte))
  return btoa(bytes.join('')).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function textOf(encoded: string): string {
  const bytes = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
  return new TextDecoder().decode(Uint8Array.from(bytes, (sign) => sign.charCodeAt(0)))
}
