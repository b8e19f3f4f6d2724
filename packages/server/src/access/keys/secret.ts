import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

const prefix = 'sk-colloquy-'

/** Makes a new secret: 192 random bits. */
export function newSecret(): string {
  return prefix + randomBytes(24).toString('base64url')
}

/** The hash that is stored. A fast one suffices, because secrets are random and cannot be guessed. */
export function hashOf(secret: string): string {
  return hash('sha256', secret)
}

/** Compares hashes in a time that does not depend on where they differ. */
export function isSameHash(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}

/** The part of a secret that lists show. */
export function hintOf(secret: string): string {
  return `${secret.startsWith(prefix) ? prefix : ''}…${secret.slice(-4)}`
}
