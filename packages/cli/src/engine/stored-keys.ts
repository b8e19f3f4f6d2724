import { existsSync, readFileSync } from 'node:fs'
import { ExitCode, ExitError } from '../exit.ts'
import { filePaths, replaceFile } from '../file-paths.ts'
import type { Environment } from '../flags.ts'
import { systemReason } from '../errors/system-error.ts'

/** The user's own keys for engines: of Claude, and by the name `openai` one of OpenAI or the server of `OPENAI_BASE_URL`. */
export interface StoredKeys {
  /** The key of Claude that is used. */
  default: string | undefined
  /** Secrets by name. */
  keys: Record<string, string>
}

/** The name of the key for OpenAI, or the server of `OPENAI_BASE_URL`. Every other key is one of Claude. */
export const openAiName = 'openai'

/** The secrets in the environment that were read from the file. */
const fromFile = new Set<string>()

/** Whether the environment has this secret only because the user has stored it. */
export function isStoredKey(secret: string | undefined): boolean {
  return secret !== undefined && fromFile.has(secret)
}

/**
 * Puts the stored keys into the environment, where engines look for them. Keys of the environment come first. A stored key of
 * Claude is not used for the other server of `ANTHROPIC_BASE_URL`.
 */
export function useStoredKeys(env: Record<string, string | undefined>): void {
  const names = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL']
  const needsClaude = !names.some((name) => env[name])
  if (!needsClaude && env['OPENAI_API_KEY']) return
  const { default: name, keys } = readStoredKeys(env)
  const found = {
    ...(needsClaude && name !== undefined && { ANTHROPIC_API_KEY: keys[name] }),
    ...(!env['OPENAI_API_KEY'] && keys[openAiName] !== undefined && { OPENAI_API_KEY: keys[openAiName] }),
  }
  for (const [variable, secret] of Object.entries(found)) {
    if (secret === undefined) continue
    env[variable] = secret
    fromFile.add(secret)
  }
}

/** Reads the stored keys. Throws an `ExitError` that names the file if it is damaged. */
export function readStoredKeys(env: Environment = process.env): StoredKeys {
  const { keys: path } = filePaths(env)
  if (!existsSync(path)) return { default: undefined, keys: {} }
  try {
    const { default: name, keys } = JSON.parse(readFileSync(path, 'utf8')) as Partial<StoredKeys>
    const isRight = typeof keys === 'object' && Object.values(keys).every((secret) => typeof secret === 'string')
    if (isRight) return { default: typeof name === 'string' ? name : undefined, keys }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw damaged(path, systemReason(error))
  }
  throw damaged(path, 'it is not JSON with the field keys')
}

function damaged(path: string, reason: string): ExitError {
  return new ExitError(ExitCode.failed, `Cannot read the keys in ${path}: ${reason}`)
}

/** Writes the stored keys to a file that only its owner can read. Throws an `ExitError` if it cannot be written. */
export function writeStoredKeys(stored: StoredKeys): void {
  replaceFile(filePaths().keys, `${JSON.stringify(stored, null, 2)}\n`, 0o600)
}

/** The part of a secret that may be shown: `sk-ant-…x7Qd`. */
export function hintOfSecret(secret: string): string {
  if (secret.length < 16) return '…'
  const prefix = /^(?:[a-z]+-){1,2}/i.exec(secret.slice(0, 12))?.[0] ?? ''
  return `${prefix}…${secret.slice(-4)}`
}
