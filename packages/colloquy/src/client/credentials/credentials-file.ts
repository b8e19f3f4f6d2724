import { isObject } from '../../protocol/json/json-object.ts'
import type { Log } from '../request/log.ts'
import { builtin, environment } from '../transport/runtime.ts'
import { WorkloadIdentityError } from './token-endpoint.ts'

/** The part of `node:fs/promises` and `node:path` that credentials use. */
interface NodeFiles {
  chmod(path: string, mode: number): Promise<void>
  mkdir(path: string, options: { recursive: boolean; mode: number }): Promise<unknown>
  readFile(path: string, encoding: 'utf8'): Promise<string>
  rename(from: string, to: string): Promise<void>
  stat(path: string): Promise<{ mode: number; uid: number }>
  unlink(path: string): Promise<void>
  writeFile(path: string, text: string, options: { mode: number; flag: string; flush: boolean }): Promise<void>
}

interface NodePath {
  dirname(path: string): string
  join(...parts: string[]): string
}

interface NodeProcess {
  platform: string
  getuid?(): number
}

const process = (globalThis as { process?: NodeProcess }).process

/** Node's files; undefined on runtimes without them. */
function nodeFiles(): NodeFiles | undefined {
  return builtin('node:fs/promises') as NodeFiles | undefined
}

export function joinPath(...parts: string[]): string {
  return (builtin('node:path') as NodePath).join(...parts)
}

/** The folder of profiles; undefined if there is none, as in a browser. */
export function configFolder(): string | undefined {
  if (!nodeFiles()) return undefined
  const given = environment('ANTHROPIC_CONFIG_DIR')
  if (given) return given
  const parents =
    process?.platform === 'win32'
      ? [environment('APPDATA'), under('USERPROFILE', 'AppData', 'Roaming')]
      : [environment('XDG_CONFIG_HOME'), under('HOME', '.config')]
  const parent = parents.find((path) => path !== undefined)
  return parent && joinPath(parent, process?.platform === 'win32' ? 'Anthropic' : 'anthropic')
}

function under(variable: string, ...parts: string[]): string | undefined {
  const folder = environment(variable)
  return folder && joinPath(folder, ...parts)
}

/** The text of a file; undefined if it does not exist. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await nodeFiles()!.readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ENOENT') return undefined
    throw new WorkloadIdentityError(`Cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
}

/** The JSON object in a file; undefined if the file does not exist. */
export async function readObject(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readText(path)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Told below, without the text, which may hold a token.
  }
  throw new WorkloadIdentityError(`Cannot read ${path}: it is not a JSON object`)
}

/** Refuses a file of credentials that other users of the machine can read or change. */
export async function checkFileMode(path: string, log: Log): Promise<void> {
  if (process?.platform === 'win32') return
  const stat = await nodeFiles()!
    .stat(path)
    .catch(() => undefined)
  if (!stat) return
  const mode = stat.mode & 0o777
  if (mode & 0o066) {
    const may = mode & 0o022 ? 'change' : 'read'
    throw new WorkloadIdentityError(
      `Cannot use ${path}, which other users can ${may} (mode ${mode.toString(8)}): run chmod 600 ${path}`,
    )
  }
  const user = process?.getuid?.()
  if (user !== undefined && stat.uid !== user)
    log('warn')?.(`${path} belongs to another user (${stat.uid}, not ${user})`)
}

/** Replaces a file as a whole, readable by its owner alone. */
export async function writeObject(path: string, value: Record<string, unknown>): Promise<void> {
  const files = nodeFiles()!
  await files.mkdir((builtin('node:path') as NodePath).dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${crypto.randomUUID()}.tmp`
  try {
    await files.writeFile(draft, JSON.stringify(value, null, 2), { mode: 0o600, flag: 'wx', flush: true })
    await files.rename(draft, path)
  } catch (error) {
    await files.unlink(draft).catch(() => {})
    throw error
  }
}
