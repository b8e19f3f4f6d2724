import { ExitCode, ExitError, UsageError } from '../../exit.ts'
import { filePaths } from '../../file-paths.ts'
import type { Environment, Flags } from '../../flags.ts'
import { openAiHosts } from '../../engine/credentials.ts'
import { hintOfSecret, isStoredKey, openAiName, readStoredKeys, writeStoredKeys } from '../../engine/stored-keys.ts'
import { readSecretInput } from './read-secret.ts'
import { writeErrorLine, writeJson, writeLine } from '../../terminal/output.ts'
import type { KeyReport } from './test-key.ts'
import { programName } from '../../terminal/program-name.ts'

/** A key for engines, as `colloquy keys list` shows it. */
export interface ProviderKey {
  name: string
  hint: string
  /** Whether engines use it. */
  isUsed: boolean
  /** The variable of the environment that has it. Undefined: it is in the file of stored keys. */
  variable?: string
}

const variables = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'OPENAI_API_KEY']

/** The stored keys, and those of the environment. */
export function providerKeys(env: Environment = process.env): ProviderKey[] {
  const given = variables.filter((variable) => env[variable] && !isStoredKey(env[variable]))
  const { default: chosen, keys } = readStoredKeys(env)
  const stored = Object.entries(keys).map(([name, secret]) => {
    const isChosen = name === chosen || name === openAiName
    return { name, hint: hintOfSecret(secret), isUsed: isChosen && isStoredKey(secret) }
  })
  const variablesFound = given.map((variable) => {
    return { name: variable, hint: hintOfSecret(env[variable]!), isUsed: true, variable }
  })
  return [...variablesFound, ...stored]
}

/** A line of `colloquy keys list`. */
export function providerLine({ name, hint, isUsed, variable }: ProviderKey, width: number): string {
  const isOpenAi = name === openAiName || name === 'OPENAI_API_KEY'
  const facts = [
    isOpenAi ? `for ${openAiHosts()}` : 'for Claude',
    isUsed && variable === undefined ? 'default' : '',
    variable === undefined ? '' : `from ${variable}`,
  ]
  const shown = variable === undefined ? name : '(environment)'
  return `${shown.padEnd(width)}  ${hint}  ${facts.filter((fact) => fact !== '').join(' · ')}`
}

/** Runs `colloquy keys set NAME`. */
export async function set([name, ...more]: readonly string[], _flags: Flags): Promise<number> {
  if (name === undefined || !/^[\w.-]{1,64}$/.test(name))
    throw new UsageError(
      `Cannot keep a key without a name of letters and digits, as in: ${programName} keys set anthropic`,
    )
  if (more.length > 0)
    throw new UsageError(
      'Cannot take a key from the command line, which other programs can read: type it, or pipe it in',
    )
  const secret = await readSecretInput(`The key ${name} (not shown): `)
  if (secret === '') throw new UsageError('Cannot keep an empty key')
  if (!/^[\u0021-\u007E]+$/.test(secret))
    throw new UsageError('Cannot keep this key: it has a space or a character that no key has')
  const { default: before, keys } = readStoredKeys()
  const chosen = name === openAiName ? before : (before ?? name)
  writeStoredKeys({ default: chosen, keys: { ...keys, [name]: secret } })
  writeLine(`Saved ${name} (${hintOfSecret(secret)}) in ${filePaths().keys}, which only you can read.`)
  if (name === openAiName)
    writeErrorLine(`It is sent to ${openAiHosts()} only. For another server, set COLLOQUY_ENGINE_KEY.`)
  const isHidden =
    name !== openAiName &&
    (process.env['ANTHROPIC_API_KEY'] ?? '') !== '' &&
    !isStoredKey(process.env['ANTHROPIC_API_KEY'])
  if (isHidden) writeErrorLine('ANTHROPIC_API_KEY is set and is used instead.')
  else if (name !== openAiName && chosen !== name)
    writeErrorLine(`${chosen} stays the default: ${programName} keys default ${name}`)
  return ExitCode.ok
}

/** Runs `colloquy keys default NAME`. */
export async function setDefault([name]: readonly string[], _flags: Flags): Promise<number> {
  const stored = readStoredKeys()
  const found = secretOf(stored.keys, name, 'default')
  if (found.name === openAiName)
    throw new UsageError('Cannot make openai the default: it is the key for OpenAI, and the default is one for Claude')
  writeStoredKeys({ ...stored, default: found.name })
  writeLine(`${found.name} is the key for Claude from now on.`)
  return ExitCode.ok
}

/** Erases a stored key. Returns false if there is none of this name. */
export function removeStored(name: string): boolean {
  const { default: chosen, keys } = readStoredKeys()
  if (!Object.hasOwn(keys, name)) return false
  const { [name]: _, ...rest } = keys
  const others = Object.keys(rest).filter((each) => each !== openAiName)
  writeStoredKeys({ default: chosen === name ? others[0] : chosen, keys: rest })
  return true
}

function secretOf(
  keys: Record<string, string>,
  name: string | undefined,
  action: string,
): { name: string; secret: string } {
  if (name === undefined)
    throw new UsageError(`Cannot ${action} a key without its name: ${programName} keys ${action} NAME`)
  const secret = Object.hasOwn(keys, name) ? keys[name] : undefined
  if (secret !== undefined) return { name, secret }
  const names = Object.keys(keys).join(', ') || 'none'
  throw new ExitError(
    ExitCode.failed,
    `No key ${name} is stored; found ${names}. ${programName} keys set ${name} keeps one.`,
  )
}

/** Runs `colloquy keys test [NAME]`: the models of a key, and its rate limits. */
export async function test([name]: readonly string[], flags: Flags): Promise<number> {
  const { keys } = readStoredKeys()
  const { testClaude, testOpenAi } = await import('./test-key.ts')
  const isOpenAi = name === openAiName
  const secret = name === undefined ? undefined : secretOf(keys, name, 'test').secret
  const report = await (isOpenAi ? testOpenAi(secret!) : testClaude(secret))
  const shownName = name ?? providerKeys().find(({ isUsed }) => isUsed)?.name ?? 'the key'
  if (flags.has('json')) writeJson({ name: shownName, ...report }, 2)
  else reportLines(shownName, report).forEach(writeLine)
  return ExitCode.ok
}

function reportLines(name: string, { url, models, limits, message }: KeyReport): string[] {
  const rates = Object.entries(limits).map(([what, most]) => `${most.toLocaleString('en')} ${what}`)
  return [
    `${name} works at ${url}`,
    `models  ${models.length}${models.length === 0 ? '' : `: ${models.slice(0, 3).join(', ')}${models.length > 3 ? ', …' : ''}`}`,
    `limits  ${rates.length === 0 ? 'not told' : `${rates.join(', ')} a minute${message === undefined ? '' : ` with ${message}`}`}`,
  ]
}
