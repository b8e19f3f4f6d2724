import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { findModels, findOffer, listedModels, readGguf } from '@colloquy/llama'
import { findCandidates, matching, sizeText } from '../../engine/candidates.ts'
import { chooseEngine, chosenEngine, type ChosenEngine } from '../../engine/chosen-engine.ts'
import { fetchModel, fetchRuntime, hasModelRuntime, runtimeText } from '../../engine/fetch-model.ts'
import { confirm } from '../confirm.ts'
import { ExitCode, UsageError } from '../../exit.ts'
import { filePaths, homeFolder } from '../../file-paths.ts'
import type { Flags } from '../../flags.ts'
import { progressLine } from '../../terminal/progress-line.ts'
import { writeErrorLine, writeJson, writeLine } from '../../terminal/output.ts'
import { localLines } from './local-lines.ts'

/** Runs `colloquy models local`: the models on this machine, and those that can be fetched. */
export async function list(_words: readonly string[], flags: Flags): Promise<number> {
  const candidates = await findCandidates()
  if (flags.has('json')) writeJson({ found: candidates, listed: listedModels, chosen: chosenEngine() ?? null }, 2)
  else for (const line of localLines(candidates)) writeLine(line)
  return ExitCode.ok
}

/** Runs `colloquy models get NAME|hf:USER/REPOSITORY:QUANTIZATION|URL|FILE`. */
export async function get([name, ...more]: readonly string[], flags: Flags): Promise<number> {
  if (name === undefined || more.length > 0) throw unknownName([name, ...more].join(' '))
  const file = await fileAt(name)
  if (file !== undefined) return choose(file)
  const offer = await findOffer(name)
  if (offer === undefined) throw unknownName(name)
  const runtime = (await hasModelRuntime()) ? '' : ` and the runtime for it (${runtimeText})`
  const size = offer.bytes === undefined ? 'size unknown' : sizeText(offer.bytes)
  const what = `${offer.title} (${size}, ${offer.license ?? 'the source names no licence'})${runtime}`
  const asks = process.stdin.isTTY && process.stderr.isTTY && !flags.has('yes')
  if (asks && !(await confirm(`Fetch ${what}? [Y/n] `, true))) {
    writeLine('Nothing was fetched.')
    return ExitCode.ok
  }
  if (!asks) writeErrorLine(`Fetching ${what}.`)
  const line = progressLine(offer.title)
  const engine = await fetchModel(offer, line).finally(() => line.end())
  chooseEngine(engine)
  writeLine(`${offer.title} is at ${engine.model.path}. It replies if there is no API key, and with --engine local.`)
  return ExitCode.ok
}

function unknownName(name: string): UsageError {
  const names = listedModels.map((each) => each.name).join(', ')
  return new UsageError(
    `Cannot fetch ${name || 'a model without its name'}: give one of ${names}, hf:USER/REPOSITORY with :QUANTIZATION behind it, the address of a .gguf file, or such a file`,
  )
}

/** Runs `colloquy models use NAME|FILE`. */
export async function use([name, ...more]: readonly string[]): Promise<number> {
  if (name === undefined || more.length > 0) throw new UsageError('Cannot choose a model: give its name or its file')
  const engine = (await fileAt(name)) ?? matching(await findCandidates(), name)?.engine
  if (engine === undefined) {
    throw new UsageError(
      `Cannot use ${name}: it is not a GGUF file with a chat template, and no model on this machine has the name`,
    )
  }
  return choose(engine)
}

async function choose(engine: ChosenEngine): Promise<number> {
  const title = engine.kind === 'chat' ? engine.model : engine.model.title
  if (engine.kind === 'local') {
    const line = progressLine(engine.model.title)
    await fetchRuntime(line).finally(() => line.end())
  }
  chooseEngine(engine)
  writeLine(`${title} replies if there is no API key, and with --engine local.`)
  return ExitCode.ok
}

async function fileAt(path: string): Promise<ChosenEngine | undefined> {
  const info = await readGguf(path)
  if (info === undefined) {
    // `hf:USER/REPOSITORY/FILE.gguf` and addresses end like files.
    if (!/\.gguf$/i.test(path) || /^\w{2,}:/.test(path)) return undefined
    throw new UsageError(`Cannot use ${path}: ${existsSync(path) ? 'it is not a GGUF file' : 'there is no such file'}`)
  }
  if (!info.canChat) throw new UsageError(`Cannot use ${path}: it is a base model without a chat template`)
  const { name = path, parameters, window } = info
  return { kind: 'local', model: { path: resolve(path), title: name, parameters, window } }
}

/** Runs `colloquy models remove NAME`. */
export async function remove([name]: readonly string[]): Promise<number> {
  const { models } = filePaths()
  const own = (await findModels({ home: homeFolder(), own: models })).filter(({ path }) => path.startsWith(models))
  const listed = listedModels.find((each) => each.name === name)
  const model = own.find(({ id, path }) => id === name || (listed !== undefined && path.endsWith(listed.file)))
  if (model === undefined)
    throw new UsageError(
      `Cannot remove ${name ?? 'a model'}: found ${own.map(({ id }) => id).join(', ') || 'none that was fetched'}`,
    )
  await rm(model.path)
  writeLine(`Removed ${model.path} (${sizeText(model.bytes)}).`)
  return ExitCode.ok
}
