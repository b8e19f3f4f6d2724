import { access, constants, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { APIError } from 'colloquy/protocol'
import { beginsAsGguf, readGguf } from '../find/gguf.ts'

export interface NeededMemory {
  path: string
  /** Tokens that one conversation may hold. */
  contextSize: number
  /** Conversations at once. */
  parallel: number
}

/** The memory of the runtime itself. */
const runtimeBytes = 150_000_000

/** The memory of a token in the cache of a model that does not say: about that of a model with a billion parameters. */
const usualCacheBytes = 30_000

/** Throws what is wrong with a file, or with the memory for it, before it is loaded. */
export async function checkFile({ path, contextSize, parallel }: NeededMemory): Promise<void> {
  const size = await sizeOf(path).catch((error: unknown) => {
    throw loadError(error, path)
  })
  const info = await readGguf(path)
  if (info === undefined) {
    const reason = (await beginsAsGguf(path)) ? 'its header is damaged or cut off.' : 'it is not a GGUF file.'
    throw cannotLoad(path, reason)
  }
  if (!info.canChat) throw baseModelError(path)
  const { window = contextSize, cacheBytesPerToken = usualCacheBytes } = info
  const needed = size + runtimeBytes + cacheBytesPerToken * Math.min(window, contextSize) * parallel
  const free = process.availableMemory()
  if (needed <= free) return
  throw cannotLoad(path, `it needs about ${gigabytes(needed)} of memory, and ${gigabytes(free)} are free.`)
}

async function sizeOf(path: string): Promise<number> {
  await access(path, constants.R_OK)
  const info = await stat(path)
  if (info.isDirectory()) throw Object.assign(new Error('EISDIR'), { code: 'EISDIR' })
  if (!info.isFile()) throw new Error('it is not a file.')
  return info.size
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}

export function baseModelError(path: string): APIError {
  return fileError(`Cannot chat with ${basename(path)}: it is a base model without a chat template.`)
}

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file.',
  EISDIR: 'it is a folder.',
  EACCES: 'this user may not read it.',
  EPERM: 'this user may not read it.',
}

/** One sentence for each way in which a file cannot be loaded. The runtime writes its reasons into a log. */
export function loadError(error: unknown, path: string, log = ''): APIError {
  if (error instanceof APIError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const known = reasons[code ?? '']
  if (known !== undefined) return cannotLoad(path, known)
  const found = /error loading model: (?:error loading model \w+: )?(.+)/.exec(log)?.[1] ?? message.split('\n')[0]!
  const architecture = /unknown model architecture: '(.+?)'/.exec(found)?.[1]
  if (architecture === undefined) return cannotLoad(path, found)
  return cannotLoad(path, `this runtime does not know its architecture, ${architecture}.`)
}

function cannotLoad(path: string, reason: string): APIError {
  return fileError(`Cannot load ${basename(path)}: ${/[.!?]$/.test(reason) ? reason : `${reason}.`}`)
}

/** An error of a file, or of the runtime for it, that a retry does not mend. Its code crosses HTTP, so that a program tells it from a failure of the API. */
export function fileError(message: string): APIError {
  const body = { type: 'error', error: { type: 'api_error', message, details: { error_code: 'unusable_model_file' } } }
  return APIError.generate(500, body, undefined, new Headers({ 'x-should-retry': 'false' }))
}
