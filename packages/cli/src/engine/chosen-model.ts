import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { filePaths } from '../file-paths.ts'
import type { Environment } from '../flags.ts'

/** The model on this machine that replies if there is no key. */
export interface ChosenModel {
  /** The GGUF file. */
  path: string
  /** Its name on the screen. */
  title: string
  /** Parameters in millions, if known. */
  parameters?: number | undefined
}

/** The model that was chosen last, if its file is still there. Reads one small file, so that a chat opens at once. */
export function chosenModel(env: Environment = process.env): ChosenModel | undefined {
  const saved = read(env)
  return saved?.path !== undefined && existsSync(saved.path) ? (saved as ChosenModel) : undefined
}

/** Whether the user interrupted the download of a first model, so that no other start begins it again. */
export function hasDeclined(env: Environment = process.env): boolean {
  return read(env)?.isDeclined === true
}

export function chooseModel(model: ChosenModel, env: Environment = process.env): void {
  write(model, env)
}

export function declineModel(env: Environment = process.env): void {
  write({ isDeclined: true }, env)
}

/** The model of a path that was given by hand. */
export function modelAt(path: string): ChosenModel {
  return { path, title: basename(path, '.gguf') }
}

function read(env: Environment): (Partial<ChosenModel> & { isDeclined?: boolean }) | undefined {
  try {
    return JSON.parse(readFileSync(filePaths(env).model, 'utf8')) as Partial<ChosenModel>
  } catch {
    return undefined
  }
}

function write(value: object, env: Environment): void {
  const file = filePaths(env).model
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(value)}\n`)
}
