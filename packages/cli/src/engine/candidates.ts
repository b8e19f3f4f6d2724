import { basename } from 'node:path'
import { findModels, findServers, listedModels, type FoundModel, type ServerModel } from '@colloquy/llama'
import { filePaths, homeFolder } from '../file-paths.ts'
import type { Environment } from '../flags.ts'
import { usefulParameters, type FileEngine, type ServerEngine } from './engine-kind.ts'

/** A model of this machine that can reply. */
export interface Candidate {
  /** The name for `--model`, `/model` and `colloquy models use`: `ollama/llama3.2:1b`, `smollm2`. */
  name: string
  engine: ServerEngine | FileEngine
  /** The program that has it; `own` for files of this program. */
  from: string
  bytes: number | undefined
  /** Parameters in millions. */
  parameters: number | undefined
  /** The most tokens that it was made for. */
  window: number | undefined
  license: string | undefined
}

/** The models of this machine: of the servers that run, then files. A file that a running server offers is listed once. */
export async function findCandidates(env: Environment = process.env): Promise<Candidate[]> {
  const [servers, files] = await Promise.all([
    findServers({ env }),
    findModels({ home: homeFolder(env), env, own: filePaths(env).models }),
  ])
  const served = servers.map(ofServer)
  const names = new Set(served.map(({ name }) => name))
  return [...served, ...files.map(ofFile).filter(({ name }) => !names.has(name))]
}

function ofServer({ id, from, baseURL: url, bytes, parameters, window, license }: ServerModel): Candidate {
  return {
    name: `${from}/${shortName(id)}`,
    engine: { kind: 'chat', url, model: id, from, parameters, window },
    from,
    bytes,
    parameters,
    window,
    license,
  }
}

/** llama.cpp knows a model by the path of its file. A name that ends in `.gguf` would be taken for a file. */
function shortName(id: string): string {
  return /^(?:\/|[A-Z]:\\)/i.test(id) ? basename(id.replaceAll('\\', '/'), '.gguf') : id.replace(/\.gguf$/, '')
}

function ofFile({ id, path, name, from, bytes, parameters, window, license }: FoundModel): Candidate {
  const listed = listedModels.find(({ file }) => basename(path) === file)
  const title = listed?.title ?? name ?? id
  return {
    name: from === 'own' ? (listed?.name ?? id) : `${from}/${id}`,
    engine: { kind: 'local', model: { path, title, parameters: parameters ?? listed?.parameters, window } },
    from,
    bytes,
    window,
    license: license ?? listed?.license,
    parameters: parameters ?? listed?.parameters,
  }
}

/** The candidate of a name, or of a name without the program before it if no other has the same. */
export function matching(candidates: readonly Candidate[], name: string): Candidate | undefined {
  const exact = candidates.find((candidate) => candidate.name === name)
  const short = candidates.filter((candidate) => candidate.name.endsWith(`/${name}`))
  return exact ?? (short.length === 1 ? short[0] : undefined)
}

/**
 * The candidate to use if the user chose none: the smallest that is large enough to be useful, of a server if possible, since
 * a server runs already and may use a graphics card. Else a model that was fetched by this program, whatever its size.
 */
export function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  const useful = candidates.filter(({ parameters = 0 }) => parameters >= usefulParameters)
  const served = useful.filter(({ engine }) => engine.kind === 'chat')
  const [best] = (served.length > 0 ? served : useful).toSorted((a, b) => a.parameters! - b.parameters!)
  return best ?? candidates.find(({ from }) => from === 'own')
}

/** `ollama/llama3.2:1b · 1.3 GB · 1.2 B parameters · 131k window · LICENCE`. */
export function candidateLine({ name, bytes, parameters, window, license }: Candidate): string {
  const facts = [
    bytes !== undefined && sizeText(bytes),
    parameters !== undefined && parametersText(parameters),
    window !== undefined && `${windowText(window)} window`,
    license,
  ]
  return [name, ...facts].filter(Boolean).join(' · ')
}

export function sizeText(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}

function parametersText(millions: number): string {
  return millions < 1000 ? `${millions} M parameters` : `${Number((millions / 1000).toFixed(1))} B parameters`
}

/** Windows are powers of two: 8,192 tokens are 8k. */
function windowText(tokens: number): string {
  return tokens < 1024 ? String(tokens) : `${Math.round(tokens / 1024)}k`
}
