import { existsSync, readFileSync } from 'node:fs'
import type { OAuthDiscoveryState, StoredOAuthClientInformation, StoredOAuthTokens } from '@modelcontextprotocol/client'
import { isObject } from '../../config/json-file.ts'
import { systemReason } from '../../errors/system-error.ts'
import { ExitCode, ExitError } from '../../exit.ts'
import { filePaths, replaceFile } from '../../file-paths.ts'

/** A sign-in at an MCP server: its tokens, and what is needed to replace them. */
export interface StoredSignIn {
  tokens: StoredOAuthTokens
  client: StoredOAuthClientInformation
  /** The server that gives its tokens. */
  discovery: OAuthDiscoveryState
}

/** The sign-in at a server. Undefined if there is none. Throws an `ExitError` that names the file if it is damaged. */
export function readSignIn(url: URL): StoredSignIn | undefined {
  const all = readAll()
  return Object.hasOwn(all, url.href) ? all[url.href] : undefined
}

/** Keeps the sign-in at a server in a file that only its owner can read, or forgets it. Throws an `ExitError` if that fails. */
export function writeSignIn(url: URL, signIn: StoredSignIn | undefined): void {
  const { [url.href]: _, ...others } = readAll()
  const all = signIn === undefined ? others : { ...others, [url.href]: signIn }
  replaceFile(filePaths().signIns, `${JSON.stringify(all, null, 2)}\n`, 0o600)
}

function readAll(): Record<string, StoredSignIn> {
  const { signIns: path } = filePaths()
  if (!existsSync(path)) return {}
  try {
    const all: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (isObject(all) && Object.values(all).every(isSignIn)) return all as Record<string, StoredSignIn>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw damaged(path, systemReason(error))
  }
  throw damaged(path, 'it is not JSON with tokens for addresses')
}

function isSignIn(value: unknown): boolean {
  return isObject(value) && [value['tokens'], value['client'], value['discovery']].every(isObject)
}

function damaged(path: string, reason: string): ExitError {
  return new ExitError(ExitCode.failed, `Cannot read the sign-ins in ${path}: ${reason}`)
}
