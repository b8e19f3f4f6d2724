import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { AnthropicError } from '../../protocol/types/error.ts'
import { namesIn } from './memory-path.ts'
import { insertLine, replaceOnce, showFile, sizeText } from './memory-text.ts'
import type {
  MemoryCreateCommand,
  MemoryDeleteCommand,
  MemoryHandlers,
  MemoryInsertCommand,
  MemoryRenameCommand,
  MemoryStrReplaceCommand,
  MemoryViewCommand,
} from './memory-tool.ts'

/** Options of `memoryFolder()`. */
export interface MemoryFolderOptions {
  /** The largest file that is read or written, in bytes. Default 1 MiB. */
  maxFileBytes?: number
  /** The most entries of a listing. Default 1000. */
  maxEntries?: number
}

// Only the owner reads and writes, whatever the umask says.
const fileMode = 0o600
const folderMode = 0o700

/**
 * Keeps the files of the memory tool in the folder `memories` below a path. Nothing outside that folder is read or
 * written: paths with `..` or in other encodings are refused, and so are symbolic links that lead out of it. Files are
 * written as a whole, so that a crash leaves the old or the new text. Commands run one after another.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { MemoryFolder, memoryTool } from 'colloquy/tools/memory'
 *
 * const runner = new Anthropic().beta.messages.toolRunner({
 *   model: 'claude-sonnet-4-6',
 *   max_tokens: 1024,
 *   messages: [{ role: 'user', content: 'What is 6 * 7?' }],
 *   tools: [memoryTool(await MemoryFolder.init('notes'))],
 * })
 * console.log((await runner).stop_reason) // end_turn
 * ```
 */
export class MemoryFolder implements MemoryHandlers {
  readonly #root: string
  readonly #maxFileBytes: number
  readonly #maxEntries: number
  #last: Promise<unknown> = Promise.resolve()

  constructor(path: string = './memory', { maxFileBytes = 2 ** 20, maxEntries = 1000 }: MemoryFolderOptions = {}) {
    this.#root = join(path, 'memories')
    this.#maxFileBytes = maxFileBytes
    this.#maxEntries = maxEntries
  }

  /** A folder that exists. The constructor makes it only when the first file is written. */
  static async init(path?: string, options?: MemoryFolderOptions): Promise<MemoryFolder> {
    const folder = new MemoryFolder(path, options)
    await mkdir(folder.#root, { recursive: true, mode: folderMode })
    return folder
  }

  /** Reads a file, or lists a folder. */
  async view({ path, view_range }: MemoryViewCommand): Promise<string> {
    return this.#alone(async () => {
      const { real } = await this.#find(path)
      const stat = await lstat(real).catch(missing(path))
      if (stat.isFile()) return showFile(path, await this.#read(path, real), view_range)
      if (!stat.isDirectory()) throw new AnthropicError(`Unsupported file type for ${path}`)
      const lines = await this.#list(path.replace(/\/$/, ''), real, 2)
      const header = `Here're the files and directories up to 2 levels deep in ${path}, excluding hidden items and node_modules:`
      return [header, `${sizeText(stat.size)}\t${path}`, ...lines].join('\n')
    })
  }

  /** Writes a new file. */
  async create({ path, file_text }: MemoryCreateCommand): Promise<string> {
    return this.#alone(async () => {
      const { real } = await this.#find(path)
      this.#checkSize(path, file_text)
      await mkdir(dirname(real), { recursive: true, mode: folderMode }).catch(notAFolder(path))
      const handle = await open(real, 'wx', fileMode).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST' || error.code === 'EISDIR') throw new AnthropicError(`File ${path} already exists`)
        throw error
      })
      await writeAndClose(handle, file_text)
      return `File created successfully at: ${path}`
    })
  }

  /** Replaces a text that occurs once in a file. */
  async str_replace({ path, old_str, new_str }: MemoryStrReplaceCommand): Promise<string> {
    return this.#alone(async () => {
      const { text, shown } = replaceOnce(path, await this.#textOf(path), old_str, new_str)
      await this.#write(path, text)
      return shown
    })
  }

  /** Inserts a text at a line of a file. */
  async insert({ path, insert_line, insert_text }: MemoryInsertCommand): Promise<string> {
    return this.#alone(async () => {
      await this.#write(path, insertLine(await this.#textOf(path), insert_line, insert_text))
      return `The file ${path} has been edited.`
    })
  }

  /** Deletes a file or folder. */
  async delete({ path }: MemoryDeleteCommand): Promise<string> {
    return this.#alone(async () => {
      const { itself } = await this.#find(path)
      if (itself === undefined) throw new AnthropicError('Cannot delete the /memories directory itself')
      await rm(itself, { recursive: true }).catch(missing(path, `The path ${path} does not exist`))
      return `Successfully deleted ${path}`
    })
  }

  /** Renames a file or folder. */
  async rename({ old_path, new_path }: MemoryRenameCommand): Promise<string> {
    return this.#alone(async () => {
      const { itself } = await this.#find(old_path)
      const target = await this.#find(new_path)
      if (itself === undefined) throw new AnthropicError('Cannot rename the /memories directory itself')
      if (await exists(target.real)) throw new AnthropicError(`The destination ${new_path} already exists`)
      await lstat(itself).catch(missing(old_path, `The path ${old_path} does not exist`))
      if (target.real.startsWith(itself + sep)) {
        throw new AnthropicError(`Cannot rename ${old_path} to ${new_path}, which is inside it`)
      }
      await mkdir(dirname(target.real), { recursive: true, mode: folderMode }).catch(notAFolder(new_path))
      await rename(itself, target.real)
      return `Successfully renamed ${old_path} to ${new_path}`
    })
  }

  /** Runs a command once the commands before it have ended, as each reads a file and then writes it. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work).catch(withoutPaths)
    this.#last = result.catch(() => {})
    return result
  }

  /**
   * Resolves a path of the model: `real` has no symbolic link in it, and need not exist; `itself` may be a link, and is
   * undefined for the memory folder. Throws when a link leads out of the folder or nowhere.
   */
  async #find(path: string): Promise<{ real: string; itself: string | undefined }> {
    const names = namesIn(path)
    await mkdir(this.#root, { recursive: true, mode: folderMode })
    const root = await realpath(this.#root)
    let real = root
    let itself: string | undefined
    for (const name of names) {
      itself = join(real, name)
      real = await followed(itself, root)
    }
    return { real, itself }
  }

  async #textOf(path: string): Promise<string> {
    const { real } = await this.#find(path)
    const stat = await lstat(real).catch(missing(path))
    if (!stat.isFile()) throw new AnthropicError(`The path ${path} is not a file.`)
    return this.#read(path, real)
  }

  async #read(path: string, real: string): Promise<string> {
    // Windows has neither of the last two. Without O_NONBLOCK, opening a named pipe would wait for its writer.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
    const handle = await open(real, flags).catch(missing(path))
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) throw new AnthropicError(`The path ${path} is not a file.`)
      if (stat.size > this.#maxFileBytes) throw tooLarge(path, stat.size, this.#maxFileBytes)
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  }

  /** Replaces a file by way of another one beside it, so that no reader sees half of it. */
  async #write(path: string, text: string): Promise<void> {
    this.#checkSize(path, text)
    const { real } = await this.#find(path)
    const draft = join(dirname(real), `.draft-${randomUUID()}`)
    try {
      await writeAndClose(await open(draft, 'wx', fileMode), text)
      await rename(draft, real)
    } catch (error) {
      await unlink(draft).catch(() => {})
      throw error
    }
  }

  #checkSize(path: string, text: string): void {
    const bytes = Buffer.byteLength(text)
    if (bytes > this.#maxFileBytes) throw tooLarge(path, bytes, this.#maxFileBytes)
  }

  /** The entries of a folder and of those in it, but for hidden ones and those that links lead out of the folder. */
  async #list(path: string, folder: string, depth: number, lines: string[] = []): Promise<string[]> {
    const root = await realpath(this.#root)
    for (const name of (await readdir(folder)).toSorted()) {
      if (name.startsWith('.') || name === 'node_modules') continue
      if (lines.length >= this.#maxEntries) {
        if (lines.length === this.#maxEntries)
          lines.push(`(more than ${this.#maxEntries} entries, the rest is left out)`)
        return lines
      }
      const real = await followed(join(folder, name), root).catch(() => undefined)
      const stat = real === undefined ? undefined : await lstat(real).catch(() => undefined)
      if (stat?.isDirectory()) {
        lines.push(`${sizeText(stat.size)}\t${path}/${name}/`)
        if (depth > 1) await this.#list(`${path}/${name}`, real!, depth - 1, lines)
      } else if (stat?.isFile()) lines.push(`${sizeText(stat.size)}\t${path}/${name}`)
    }
    return lines
  }
}

/** The target of an entry that is a link; the entry itself if it is not, or does not exist. */
async function followed(entry: string, root: string): Promise<string> {
  const stat = await lstat(entry).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (!stat?.isSymbolicLink()) return entry
  const real = await realpath(entry).catch(() => undefined)
  if (real === undefined || (real !== root && !real.startsWith(root + sep))) {
    throw new AnthropicError('Path would escape /memories directory via symlink')
  }
  return real
}

async function writeAndClose(handle: FileHandle, text: string): Promise<void> {
  try {
    await handle.writeFile(text, 'utf8')
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** Tells the model what is not there, in place of the error of the file system, which names a path outside. */
function missing(
  path: string,
  message = `The path ${path} does not exist. Please provide a valid path.`,
): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new AnthropicError(message)
    throw error
  }
}

/** An error of the file system tells its code alone: its message names a path outside the memory folder. */
function withoutPaths(error: NodeJS.ErrnoException): never {
  if (error.code === undefined) throw error
  throw new AnthropicError(`The memory directory cannot be used (${error.code})`, { cause: error })
}

function notAFolder(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code !== 'EEXIST' && error.code !== 'ENOTDIR') throw error
    throw new AnthropicError(`A part of the path ${path} is a file, not a directory`)
  }
}

function tooLarge(path: string, bytes: number, limit: number): AnthropicError {
  return new AnthropicError(`The file ${path} is too large: ${bytes} bytes, more than ${limit}`)
}
