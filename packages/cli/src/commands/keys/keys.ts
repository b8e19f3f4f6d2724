import { type KeyRecord, Keys, keyObject, readSpending, type SpentBudget } from '@colloquy/server/access'
import type { ServerStore } from '@colloquy/server/store'
import { formatUsd } from 'colloquy/protocol'
import { ExitCode, ExitError, UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { ageText } from '../../format.ts'
import { confirm } from '../confirm.ts'
import { withServerState } from '../../server-store.ts'
import { writeErrorLine, writeJson, writeLine } from '../../terminal/output.ts'
import { providerKeys, providerLine, removeStored } from './provider-keys.ts'
import { readDuration, readExpiry, settingsFrom } from './read-settings.ts'
import { programName } from '../../terminal/program-name.ts'

/** Runs `colloquy keys create NAME`. */
export function create([name]: readonly string[], flags: Flags): Promise<number> {
  const settings = settingsFrom(flags)
  const expires = flags.text('expires')
  const workspace = flags.text('workspace')
  return withKeys(flags, async (keys, store) => {
    const { key, secret } = await keys.create({
      name: nameOf('create', name),
      ...settings,
      ...(workspace !== undefined && { workspace }),
      isAdmin: flags.has('admin'),
      expiresAt: expires === undefined ? null : readExpiry(expires, Date.now()),
    })
    await show(flags, key, { secret, store })
  })
}

/** Runs `colloquy keys list`. */
export function list(_words: readonly string[], flags: Flags): Promise<number> {
  return withKeys(flags, async (keys, { database }) => {
    const found = await keys.list(flags.text('workspace'))
    const own = flags.has('workspace') ? [] : providerKeys()
    const spending = await readSpending(database, found, Date.now())
    if (flags.has('json')) {
      const ownObjects = own.map(({ isUsed, ...key }) => ({ type: 'provider_key', ...key, is_used: isUsed }))
      return writeJson([...ownObjects, ...found.map((key) => keyObject(key, spending.get(key.id)))], 2)
    }
    if (found.length + own.length === 0) {
      writeLine(
        `No keys yet. ${programName} keys set anthropic keeps yours; ${programName} keys create NAME makes one of the server.`,
      )
      return
    }
    const width = Math.max(...[...found, ...own].map(({ name }) => name.length))
    for (const key of own) writeLine(providerLine(key, width))
    for (const key of found) writeLine(lineOf(key, spending.get(key.id) ?? [], width))
  })
}

/** Runs `colloquy keys rotate NAME`. */
export function rotate([name]: readonly string[], flags: Flags): Promise<number> {
  const grace = flags.text('grace')
  const graceMs = grace === undefined ? 0 : readDuration('grace', grace)
  return withKeys(flags, async (keys, store) => {
    const { key, secret } = await keys.rotate(nameOf('rotate', name), { graceMs })
    await show(flags, key, { secret, store })
    if (graceMs > 0) writeErrorLine(`The earlier secret is accepted for ${grace} more.`)
  })
}

/** Runs `colloquy keys revoke NAME`. */
export function revoke([name]: readonly string[], flags: Flags): Promise<number> {
  return withKeys(flags, async (keys) => {
    const key = await keys.get(nameOf('revoke', name))
    if (!flags.has('yes') && !(await confirm(`Revoke ${key.name} for good? [y/N] `)))
      return writeLine('Nothing changed.')
    await keys.revoke(key.id)
    writeLine(`Revoked ${key.name}. Servers refuse it within two seconds.`)
  })
}

/** Runs `colloquy keys remove NAME`. */
export async function remove([name]: readonly string[], flags: Flags): Promise<number> {
  if (name !== undefined && (await removedOwn(name, flags))) return ExitCode.ok
  return withKeys(flags, async (keys) => {
    const key = await keys.get(nameOf('remove', name))
    const question = `Remove ${key.name}? Its usage stays, without the name. [y/N] `
    if (!flags.has('yes') && !(await confirm(question))) return writeLine('Nothing changed.')
    await keys.remove(key.id)
    writeLine(`Removed ${key.name}.`)
  })
}

/** Erases a key of the user for engines. False if there is none of this name. */
async function removedOwn(name: string, flags: Flags): Promise<boolean> {
  if (!providerKeys().some((key) => key.name === name && key.variable === undefined)) return false
  const isSure = flags.has('yes') || (await confirm(`Remove your key ${name} from this machine? [y/N] `))
  writeLine(isSure && removeStored(name) ? `Removed ${name}.` : 'Nothing changed.')
  return true
}

async function withKeys(flags: Flags, work: (keys: Keys, store: ServerStore) => Promise<void>): Promise<number> {
  try {
    await withServerState(flags, (store) => work(new Keys(store.database), store))
    return ExitCode.ok
  } catch (error) {
    if (error instanceof Error && (error.name === 'KeyError' || error instanceof RangeError)) {
      const hint = 'code' in error && error.code === 'not_found' ? `. ${programName} keys list shows them.` : ''
      throw new ExitError(ExitCode.failed, `${error.message}${hint}`)
    }
    throw error
  }
}

function nameOf(action: string, name: string | undefined): string {
  if (name === undefined)
    throw new UsageError(`Cannot ${action} a key without its name: ${programName} keys ${action} NAME`)
  return name
}

/** Prints a new secret. Nothing can show it again. */
async function show(
  flags: Flags,
  key: KeyRecord,
  { secret, store }: { secret: string; store: ServerStore },
): Promise<void> {
  if (flags.has('json')) {
    const spending = await readSpending(store.database, [key], Date.now())
    return writeJson({ ...keyObject(key, spending.get(key.id)), secret }, 2)
  }
  writeLine(secret)
  writeErrorLine(`The secret of ${key.name}. Copy it now: only a hash of it is kept.`)
}

function lineOf(key: KeyRecord, spending: readonly SpentBudget[], width: number): string {
  const { name, workspace, isAdmin, hint, revokedAt, expiresAt, lastUsedAt, settings } = key
  const rpm = settings.limits?.requests_per_minute
  const facts = [
    isAdmin ? 'admin' : '',
    workspace === 'default' ? '' : workspace,
    lastUsedAt === null ? 'never used' : `used ${ageText(lastUsedAt)}`,
    ...spending.map(({ budget, spent }) => {
      return `${formatUsd(spent)} of $${budget.usd} ${budget.per === 'total' ? 'in total' : `a ${budget.per}`}${budget.each === 'user' ? ' for each user' : ''}`
    }),
    rpm === undefined ? '' : `${rpm} requests a minute`,
    settings.models === undefined ? '' : settings.models.join(', '),
    stateOf(revokedAt, expiresAt),
  ]
  return `${name.padEnd(width)}  ${hint}  ${facts.filter((fact) => fact !== '').join(' · ')}`
}

function stateOf(revokedAt: number | null, expiresAt: number | null): string {
  if (revokedAt !== null) return `revoked ${dayOf(revokedAt)}`
  if (expiresAt === null) return ''
  return expiresAt < Date.now() ? `expired ${dayOf(expiresAt)}` : `expires ${dayOf(expiresAt)}`
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
