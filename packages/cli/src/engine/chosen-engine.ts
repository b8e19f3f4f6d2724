import { existsSync, readFileSync } from 'node:fs'
import { filePaths, replaceFile } from '../file-paths.ts'
import type { Environment } from '../flags.ts'
import type { FileEngine, ServerEngine } from './engine-kind.ts'

/** An engine on this machine, which replies if there is no key. */
export type ChosenEngine = FileEngine | ServerEngine

/**
 * The engine that was chosen last, if its file is still there. Reads one small file, so that a chat opens at once: whether a
 * server still runs shows when it is asked.
 */
export function chosenEngine(env: Environment = process.env): ChosenEngine | undefined {
  const saved = read(env)
  if (saved?.kind === 'chat') return saved
  return saved?.kind === 'local' && existsSync(saved.model.path) ? saved : undefined
}

/** Whether the user interrupted the download of a first model, so that no other start begins it again. */
export function hasDeclined(env: Environment = process.env): boolean {
  return read(env)?.kind === 'declined'
}

/** Remembers the engine for later chats. Throws an `ExitError` if that cannot be written. */
export function chooseEngine(engine: ChosenEngine, env: Environment = process.env): void {
  write(engine.kind === 'chat' ? { ...engine, served: undefined } : engine, env)
}

/** As `chooseEngine()` for a chat, which needs no memory: returns why it has none. */
export function rememberEngine(engine: ChosenEngine, env: Environment = process.env): string | undefined {
  try {
    chooseEngine(engine, env)
    return undefined
  } catch (error) {
    return `${(error as Error).message}. The next chat looks for an engine again.`
  }
}

/** Remembers that the user interrupted the download, if it can. */
export function declineModel(env: Environment = process.env): void {
  try {
    write({ kind: 'declined' }, env)
  } catch {
    // The next start begins the download again.
  }
}

type Saved = ChosenEngine | { kind: 'declined' }

function read(env: Environment): Saved | undefined {
  try {
    return JSON.parse(readFileSync(filePaths(env).model, 'utf8')) as Saved
  } catch {
    return undefined
  }
}

function write(value: Saved, env: Environment): void {
  replaceFile(filePaths(env).model, `${JSON.stringify(value)}\n`)
}
