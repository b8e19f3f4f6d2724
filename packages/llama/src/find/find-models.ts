import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { type GgufInfo, readGguf } from './gguf.ts'

/** A model file that a program keeps on this machine. */
export interface FoundModel extends GgufInfo {
  path: string
  /** The name by which its program knows it. */
  id: string
  from: 'ollama' | 'lmstudio' | 'huggingface' | 'llama.cpp' | 'gpt4all' | 'own'
  bytes: number
}

export interface FindOptions {
  /** Default: the user's home. */
  home?: string
  /** Default: the process's environment. */
  env?: Record<string, string | undefined>
  /** The folder of this program's own models. */
  own?: string | undefined
}

type Candidate = Pick<FoundModel, 'path' | 'id' | 'from'>

/**
 * Finds the chat models that other programs keep on this machine. Reads only; folders that cannot be read are passed over.
 *
 * @example
 * ```ts
 * import { findModels } from '@colloquy/llama'
 *
 * for (const { name, path } of await findModels()) process.stdout.write(`${name} ${path}\n`)
 * ```
 */
export async function findModels({ home = homedir(), env = process.env, own }: FindOptions = {}): Promise<
  FoundModel[]
> {
  const candidates = [
    ...(own === undefined ? [] : await flat([own], 'own')),
    ...(await inOllama(home, env)),
    ...(await inLmStudio(home)),
    ...(await inHub(home, env)),
    ...(await inLlamaCpp(home, env)),
    ...(await flat(
      [
        join(home, '.cache/gpt4all'),
        join(home, '.local/share/nomic.ai/GPT4All'),
        join(home, 'Library/Application Support/nomic.ai/GPT4All'),
      ],
      'gpt4all',
    )),
  ]
  const found = new Map<string, FoundModel>()
  for (const candidate of candidates) {
    const model = await modelAt(candidate).catch(() => undefined)
    if (model && !found.has(model.path)) found.set(model.path, model)
  }
  return [...found.values()]
}

/** Parts of other models, and the later pieces of a split one. */
const notAModel = /mmproj|-0000[2-9]-of-|-000[1-9]\d-of-/

async function modelAt(candidate: Candidate): Promise<FoundModel | undefined> {
  if (notAModel.test(basename(candidate.path))) return undefined
  const path = await realpath(candidate.path)
  const info = await readGguf(path)
  return info?.canChat ? { ...info, ...candidate, path, bytes: (await stat(path)).size } : undefined
}

interface Manifest {
  layers?: { mediaType?: string; digest: string }[]
  manifests?: ({ runner?: string; format?: string; digest?: string } & Manifest)[]
}

/** Ollama: `manifests/HOST/NAMESPACE/MODEL/TAG` names the layer whose blob is the GGUF file. */
async function inOllama(home: string, env: FindOptions['env'] = {}): Promise<Candidate[]> {
  const roots = [
    env['OLLAMA_MODELS'],
    join(home, '.ollama/models'),
    '/usr/share/ollama/.ollama/models',
    '/var/lib/ollama/.ollama/models',
    '/var/lib/ollama/models',
  ]
  const found: Candidate[] = []
  for (const root of new Set(roots.filter((each) => each !== undefined))) {
    for (const kind of ['manifests-v2', 'manifests']) {
      for (const path of await filesBelow(join(root, kind), 4)) {
        const [namespace, model, tag] = path.split(/[/\\]/).slice(-3) as [string, string, string]
        const blob = await ollamaBlob(root, path).catch(() => undefined)
        const id = `${namespace === 'library' ? '' : `${namespace}/`}${model}:${tag}`
        if (blob !== undefined) found.push({ path: blob, id, from: 'ollama' })
      }
    }
  }
  return found
}

async function ollamaBlob(root: string, path: string): Promise<string | undefined> {
  const blobAt = (digest: string): string => join(root, 'blobs', digest.replace(':', '-'))
  let manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest
  const child = manifest.manifests?.find(({ runner, format }) => runner !== 'mlx' && format !== 'safetensors')
  if (child?.digest && !child.layers) manifest = JSON.parse(await readFile(blobAt(child.digest), 'utf8')) as Manifest
  else if (child) manifest = child
  const layer = manifest.layers?.find(({ mediaType }) => mediaType === 'application/vnd.ollama.image.model')
  return layer && blobAt(layer.digest)
}

/** LM Studio: `PUBLISHER/REPOSITORY/FILE.gguf`. A pointer file may name another home. */
async function inLmStudio(home: string): Promise<Candidate[]> {
  const pointer = await readFile(join(home, '.lmstudio-home-pointer'), 'utf8').catch(() => '')
  const roots = [
    ...(pointer === '' ? [] : [join(pointer.trim(), 'models')]),
    join(home, '.lmstudio/models'),
    join(home, '.cache/lm-studio/models'),
  ]
  const found: Candidate[] = []
  for (const root of roots) {
    for (const path of await filesBelow(root, 3)) {
      if (path.endsWith('.gguf')) found.push({ path, id: path.slice(root.length + 1), from: 'lmstudio' })
    }
  }
  return found
}

/** The Hugging Face cache: `models--ORG--REPOSITORY/snapshots/COMMIT/FILE`, links to blobs. */
async function inHub(home: string, env: FindOptions['env'] = {}): Promise<Candidate[]> {
  const cache = env['XDG_CACHE_HOME'] ?? join(home, '.cache')
  const hub =
    env['HF_HUB_CACHE'] ??
    env['HUGGINGFACE_HUB_CACHE'] ??
    (env['HF_HOME'] ? join(env['HF_HOME'], 'hub') : join(cache, 'huggingface/hub'))
  const found: Candidate[] = []
  for (const root of new Set([env['LLAMA_CACHE'], hub].filter((each) => each !== undefined))) {
    for (const repository of await namesIn(root)) {
      if (!repository.startsWith('models--')) continue
      for (const path of await filesBelow(join(root, repository, 'snapshots'), 4)) {
        const name = repository.slice('models--'.length).replace('--', '/')
        if (path.endsWith('.gguf')) found.push({ path, id: `${name}/${basename(path)}`, from: 'huggingface' })
      }
    }
  }
  return found
}

/** llama.cpp before 2026, and node-llama-cpp: all files in one folder. */
async function inLlamaCpp(home: string, env: FindOptions['env'] = {}): Promise<Candidate[]> {
  const cache = env['XDG_CACHE_HOME'] ?? join(home, '.cache')
  const roots = [
    env['LLAMA_CACHE'],
    join(cache, 'llama.cpp'),
    join(home, 'Library/Caches/llama.cpp'),
    env['LOCALAPPDATA'] && join(env['LOCALAPPDATA'], 'llama.cpp'),
    join(home, '.node-llama-cpp/models'),
  ]
  return flat(
    roots.filter((each): each is string => Boolean(each)),
    'llama.cpp',
  )
}

async function flat(roots: readonly string[], from: Candidate['from']): Promise<Candidate[]> {
  const found: Candidate[] = []
  for (const root of new Set(roots)) {
    for (const name of await namesIn(root))
      if (name.endsWith('.gguf')) found.push({ path: join(root, name), id: basename(name, '.gguf'), from })
  }
  return found
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

/** The files below a folder, to a depth: deeper ones belong to something else. */
async function filesBelow(folder: string, depth: number): Promise<string[]> {
  const found: string[] = []
  for (const name of await namesIn(folder)) {
    const path = join(folder, name)
    const isFolder = await lstat(path).then(
      (entry) => entry.isDirectory(),
      () => false,
    )
    if (!isFolder) found.push(path)
    else if (depth > 1) found.push(...(await filesBelow(path, depth - 1)))
  }
  return found
}
