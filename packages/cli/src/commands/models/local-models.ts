import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { findModels, listedModels, readGguf, type FoundModel, type ListedModel } from '@colloquy/llama'
import { chooseModel, chosenModel } from '../../engine/chosen-model.ts'
import { fetchModel } from '../../engine/fetch-model.ts'
import { ExitCode, UsageError } from '../../exit.ts'
import { filePaths } from '../../file-paths.ts'
import type { Flags } from '../../flags.ts'
import { tokenText } from '../../format.ts'
import { writeErrorLine, writeJson, writeLine } from '../../terminal/output.ts'

/** Runs `colloquy models local`: the models on this machine, and those that can be fetched. */
export async function list(_words: readonly string[], flags: Flags): Promise<number> {
  const found = await findModels({ own: filePaths().models })
  const chosen = chosenModel()?.path
  if (flags.has('json')) {
    writeJson({ found, listed: listedModels, chosen: chosen ?? null }, 2)
    return ExitCode.ok
  }
  writeLine(found.length === 0 ? 'No model was found on this machine.' : 'On this machine:')
  for (const model of found) writeLine(`${model.path === chosen ? '*' : ' '} ${lineOf(model)}`)
  const missing = listedModels.filter(({ file }) => !found.some(({ path }) => path.endsWith(file)))
  if (missing.length > 0) writeLine('To fetch, with colloquy models get NAME:')
  for (const model of missing) writeLine(`  ${listedLine(model)}`)
  return ExitCode.ok
}

function lineOf({ id, from, bytes, window, license, parameters }: FoundModel): string {
  const facts = [
    megabytes(bytes),
    parameters && `${parameters} M parameters`,
    window && `${tokenText(window)} window`,
    license,
    from,
  ]
  return [id, ...facts].filter(Boolean).join(' · ')
}

function listedLine({ name, title, bytes, license, sha256 }: ListedModel): string {
  return [name, title, megabytes(bytes), license, sha256 === undefined && 'not tried by us'].filter(Boolean).join(' · ')
}

function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}

/** Runs `colloquy models get NAME`. */
export async function get([name, ...more]: readonly string[]): Promise<number> {
  const model = listedModels.find((each) => each.name === name)
  if (model === undefined || more.length > 0) {
    throw new UsageError(
      `Cannot fetch ${[name, ...more].join(' ')}: give one of ${listedModels.map((each) => each.name).join(', ')}`,
    )
  }
  writeErrorLine(
    `Fetching ${model.title} (${megabytes(model.bytes)}, ${model.license}) and the runtime for it (66 MB).`,
  )
  const chosen = await fetchModel(model)
  chooseModel(chosen)
  writeLine(`${model.title} is at ${chosen.path}. It replies if there is no API key, and with --engine local.`)
  return ExitCode.ok
}

/** Runs `colloquy models use NAME|FILE`. */
export async function use([name, ...more]: readonly string[]): Promise<number> {
  if (name === undefined || more.length > 0) throw new UsageError('Cannot choose a model: give its name or its file')
  const found = await findModels({ own: filePaths().models })
  const model = found.find(({ id }) => id === name) ?? (await fileAt(name))
  if (model === undefined) {
    throw new UsageError(
      `Cannot use ${name}: it is not a GGUF file with a chat template, and no model on this machine has the name`,
    )
  }
  chooseModel(await fetchModel(model))
  writeLine(`${model.name ?? model.id} replies if there is no API key, and with --engine local.`)
  return ExitCode.ok
}

async function fileAt(path: string): Promise<FoundModel | undefined> {
  const info = await readGguf(path)
  return info?.canChat ? { ...info, path: resolve(path), id: path, from: 'own', bytes: 0 } : undefined
}

/** Runs `colloquy models remove NAME`. */
export async function remove([name]: readonly string[]): Promise<number> {
  const { models } = filePaths()
  const own = (await findModels({ own: models })).filter(({ path }) => path.startsWith(models))
  const listed = listedModels.find((each) => each.name === name)
  const model = own.find(({ id, path }) => id === name || (listed !== undefined && path.endsWith(listed.file)))
  if (model === undefined)
    throw new UsageError(
      `Cannot remove ${name ?? 'a model'}: found ${own.map(({ id }) => id).join(', ') || 'none that was fetched'}`,
    )
  await rm(model.path)
  writeLine(`Removed ${model.path} (${megabytes(model.bytes)}).`)
  return ExitCode.ok
}
