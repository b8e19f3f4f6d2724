import type { ClientOptions } from 'colloquy'
import type { Environment } from '../flags.ts'
import { engineLabel, type EngineKind } from './engine-kind.ts'
import { isStoredKey } from './stored-keys.ts'

/** The variable for the key of the server that `--engine` names. It is sent to no other server. */
const engineKey = 'COLLOQUY_ENGINE_KEY'

/** The address of Claude's API. */
export const claudeURL = 'https://api.anthropic.com'

/** The servers that the keys of the environment belong to, besides those that the environment names. */
const owners = {
  ANTHROPIC: claudeURL,
  OPENAI: 'https://api.openai.com',
}

/** The credentials for a server of the Messages API. Empty: those of the environment, which the client reads. */
export function credentialsFor(url: string, env: Environment): Pick<ClientOptions, 'apiKey' | 'authToken'> {
  const key = env[engineKey]
  if (key) return { apiKey: key, authToken: null }
  if (sendsAnthropicKey(url, env)) return {}
  // A server on this machine often needs no key. One that does answers 401.
  return { apiKey: 'none', authToken: null }
}

/**
 * Whether the key for Claude in the environment is meant for this address. An address on the command line alone does not say
 * so: the key would go to whatever server it names. A stored key is Claude's only.
 */
export function sendsAnthropicKey(url: string, env: Environment): boolean {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_AUTH_TOKEN: token } = env
  if (!key && !token) return false
  return isStoredKey(key) ? originOf(url) === owners.ANTHROPIC : isOwnAddress(url, 'ANTHROPIC', env)
}

/**
 * The key for a server of the Chat Completions API. The key in `OPENAI_API_KEY`, or from `colloquy keys set openai`, is sent
 * to OpenAI or to the server of `OPENAI_BASE_URL` only.
 */
export function chatKeyFor(url: string, env: Environment): string | undefined {
  const key = env['OPENAI_API_KEY']
  return env[engineKey] || (key && isOwnAddress(url, 'OPENAI', env) ? key : undefined)
}

/** The hosts that the key `openai` is sent to. */
export function openAiHosts(env: Environment = process.env): string {
  const hosts = [owners.OPENAI, env['OPENAI_BASE_URL'] ?? ''].flatMap((url) => URL.parse(url)?.host ?? [])
  return [...new Set(hosts)].join(' and ')
}

/** Advice for a user whose key the server does not accept. */
export function keyAdvice(engine: EngineKind, env: Environment = process.env): string {
  if (engine.kind !== 'url' && engine.kind !== 'chat') return 'Set another ANTHROPIC_API_KEY.'
  const name = engine.kind === 'url' ? 'ANTHROPIC_API_KEY' : 'OPENAI_API_KEY'
  const isSent = engine.kind === 'url' ? sendsAnthropicKey(engine.url, env) : chatKeyFor(engine.url, env) !== undefined
  const shownName = isStoredKey(env[name]) ? `Your stored key for ${engine.kind === 'url' ? 'Claude' : 'OpenAI'}` : name
  const withheld = env[name] && !isSent ? `${shownName} is not sent to other servers. ` : ''
  return `${withheld}Put the key of ${engineLabel(engine, env)} into ${engineKey}.`
}

function isOwnAddress(url: string, owner: keyof typeof owners, env: Environment): boolean {
  const named = env[`${owner}_BASE_URL`]
  return originOf(url) === owners[owner] || (Boolean(named) && originOf(url) === originOf(named!))
}

function originOf(url: string): string | undefined {
  return URL.parse(url)?.origin
}
