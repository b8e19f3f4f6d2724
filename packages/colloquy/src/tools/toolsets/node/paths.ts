import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize, resolve, sep } from 'node:path'
import process from 'node:process'
import { ToolsetConfigError, UploadRefusedError, noUploadRoots } from '../errors.ts'

/**
 * The real path of a file that may be uploaded: one of `roots`, or below one. Throws an `UploadRefusedError` for every other,
 * which names no root.
 *
 * @example
 * ```ts
 * import { checkUploadPath } from 'colloquy/tools/toolsets/node'
 *
 * const refused = await checkUploadPath('/etc/passwd', ['/var/outbox']).catch((error: Error) => error.name)
 * console.log(refused) // UploadRefusedError
 * ```
 */
export async function checkUploadPath(candidate: string, roots: Iterable<string>): Promise<string> {
  // The letters of a text would each be a root.
  if (typeof roots === 'string') throw new ToolsetConfigError(`roots must be a list of paths: found ${roots}`)
  if (candidate === '' || candidate.includes('\0'))
    throw new UploadRefusedError('file_upload path is empty or contains a NUL byte')
  if (candidate.length > 4096) throw new UploadRefusedError('file_upload path is too long')
  // An empty text would be the working directory.
  const folders = [...roots].filter((root) => root.trim() !== '')
  if (folders.length === 0) throw new UploadRefusedError(noUploadRoots)
  if (isDevice(candidate)) throw outside()
  if (candidate.split(/[\\/]/).includes('..'))
    throw new UploadRefusedError("file_upload path must not contain a '..' component")
  // By its text first, so that the model cannot find out what exists elsewhere.
  const claims = await Promise.all(folders.map((folder) => seemsInside(resolve(candidate), folder)))
  if (!claims.includes(true)) throw outside()
  const path = await realPathOf(candidate)
  for (const folder of folders) {
    const real = await realpath(resolve(folder)).catch(() => undefined)
    if (real !== undefined && isInside(path, real) && !isDevice(path)) return path
  }
  throw outside()
}

/** Whether a path, as it is written, begins with the folder, as it is written or as it really is. */
export async function seemsInside(path: string, folder: string): Promise<boolean> {
  const real = await realPathOf(folder).catch(() => folder)
  const text = comparable(path)
  return [folder, real].some((base) => isInside(text, comparable(base).replace(/[\\/]+$/, '')))
}

/** Whether a path is in the folder once symbolic links are followed. */
export async function isReallyInside(path: string, folder: string): Promise<boolean> {
  if (isDevice(path)) return false
  try {
    return isInside(await realPathOf(path), await realPathOf(folder))
  } catch {
    return false
  }
}

/** Whether a path is the folder or below it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/**
 * The path without symbolic links. Its last parts need not exist; a link without a target, or a circle of links, is refused, as
 * it may lead anywhere once it has one.
 */
async function realPathOf(path: string): Promise<string> {
  const missing: string[] = []
  // Not `resolve()`, which removes `..` after a link before the link is followed.
  let at = isAbsolute(path) ? path : process.cwd() + sep + path
  for (;;) {
    try {
      return join(await realpath(at), ...missing)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || (await exists(at))) throw outside()
      if (dirname(at) === at) return join(at, ...missing)
      if (basename(at) !== '.') missing.unshift(basename(at))
      at = dirname(at)
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

function outside(): UploadRefusedError {
  return new UploadRefusedError('file_upload path is outside the configured upload roots')
}

/** Whether Windows would open a network share or a device, which must not even be looked at. */
function isDevice(path: string): boolean {
  if (process.platform !== 'win32') return false
  const names = path.split(/[\\/:]/).map((part) => part.split('.')[0]!.replace(/[ .]+$/, ''))
  return (
    /^[\\/]{2}/.test(path) || names.some((name) => /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])$/i.test(name))
  )
}

function comparable(path: string): string {
  const normal = normalize(path)
  return process.platform === 'win32' ? normal.toLowerCase() : normal
}
