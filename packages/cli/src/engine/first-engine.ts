import { listedModels } from '@colloquy/llama'
import { describeError } from '../errors/describe-error.ts'
import { ExitCode, ExitError, UsageError } from '../exit.ts'
import type { Flags } from '../flags.ts'
import { withPeriod } from '../format.ts'
import { writeErrorLine } from '../terminal/output.ts'
import { progressLine, type Progress } from '../terminal/progress-line.ts'
import { bestOf, findCandidates, matching } from './candidates.ts'
import {
  engineKind,
  isCandidateName,
  knownEngine,
  namesCandidate,
  needsFacts,
  needsFirstEngine,
  needsModel,
} from './choose.ts'
import { declineModel, rememberEngine, type ChosenEngine } from './chosen-engine.ts'
import type { EngineKind, FileEngine } from './engine-kind.ts'
import { fetchModel, fetchRuntime, hasModelRuntime, runtimeText, withFacts } from './fetch-model.ts'
import { withServedModel } from './served-models.ts'
import { programName } from '../terminal/program-name.ts'

export interface FindEngineOptions {
  /** Whether a model or its runtime may be fetched. */
  mayFetch: boolean
  /** Tells in one line what happens. */
  say: (line: string) => void
  /** Shows a download, named by the title, until it ends. */
  progress: (title: string) => Progress
  /** Aborts the search and the download: the offline engine replies. */
  signal: AbortSignal
  /** Whether Ctrl-C aborts `signal` and nothing else. */
  isStoppedByUser: boolean
}

/** The engine of the flags. If they leave it open, looks for one on this machine, and may fetch a model. */
export async function findEngine(flags: Flags, options: FindEngineOptions): Promise<EngineKind> {
  const known = knownEngine(flags)
  if (known !== undefined) return known
  if (needsFirstEngine(flags)) return firstEngine(options)
  const engine = await engineOfModel(flags)
  if (needsFacts(engine)) return readyFile(engine, options)
  return needsModel(engine, flags) ? withServedModel(engine, flags.text('model'), options) : engine
}

/** As `findEngine()` for a program that writes lines: notes and progress go to standard error. */
export async function findEngineInLines(
  flags: Flags,
  options: Pick<FindEngineOptions, 'mayFetch' | 'signal' | 'isStoppedByUser'>,
): Promise<EngineKind> {
  return findEngine(flags, { ...options, say: writeErrorLine, progress: progressLine })
}

/** As `findEngineInLines()`: in a terminal a model may be fetched, elsewhere only if `npm start` allows it. */
export function findEngineOfTerminal(flags: Flags): Promise<EngineKind> {
  if (process.stderr.isTTY) return findEngineOrInterrupt(flags)
  const { signal } = new AbortController()
  return findEngineInLines(flags, { mayFetch: mayFetchInPipe(), signal, isStoppedByUser: false })
}

/** Whether a model may be fetched for a program whose output is not a terminal: `npm start` in a checkout asks for it. */
export function mayFetchInPipe(): boolean {
  return Boolean(process.env['COLLOQUY_FETCH'])
}

/** As `findEngineInLines()` for a chat: Ctrl-C ends a download, and the offline engine replies. */
export async function findEngineOrInterrupt(flags: Flags): Promise<EngineKind> {
  const controller = new AbortController()
  const interrupt = (): void => {
    if (needsFirstEngine(flags)) declineModel()
    controller.abort()
  }
  process.once('SIGINT', interrupt)
  try {
    return await findEngineInLines(flags, { mayFetch: true, signal: controller.signal, isStoppedByUser: true })
  } finally {
    process.off('SIGINT', interrupt)
  }
}

/** The engine of a model of this machine that `--model` names, or the engine of the flags. */
async function engineOfModel(flags: Flags): Promise<EngineKind> {
  const model = flags.text('model')
  if (model === undefined || !namesCandidate(flags)) return engineKind(flags)
  const candidates = await findCandidates()
  const found = matching(candidates, model)
  if (found !== undefined || !isCandidateName(model)) return found?.engine ?? engineKind(flags)
  const names = candidates.map(({ name }) => name).join(', ') || 'none'
  throw new UsageError(`Cannot use the model ${model}: it was not found on this machine. Found: ${names}`)
}

/**
 * Finds an engine for a first chat: a model of at least a billion parameters on this machine, else a small one that is fetched
 * once, else the offline engine. Never throws: what went wrong is said in one line.
 */
async function firstEngine(options: FindEngineOptions): Promise<EngineKind> {
  const { mayFetch, say, signal } = options
  try {
    const engine = (await foundEngine(options)) ?? (mayFetch ? await fetchedEngine(options) : undefined)
    if (engine !== undefined) {
      const failure = rememberEngine(engine)
      if (failure !== undefined) say(failure)
      return engine
    }
    say(
      `No API key: the offline engine replies. ${programName} models get smollm2 fetches a small model for this machine.`,
    )
  } catch (error) {
    const reason = signal.aborted ? 'Stopped: the' : `${withPeriod(describeError(error).sentence)} The`
    say(`${reason} offline engine replies. ${programName} models get smollm2 fetches the model later.`)
  }
  return { kind: 'offline' }
}

async function foundEngine(options: FindEngineOptions): Promise<ChosenEngine | undefined> {
  const { mayFetch, say, progress, signal } = options
  const best = bestOf(await findCandidates())
  signal.throwIfAborted()
  if (best === undefined) return undefined
  if (best.engine.kind === 'chat' || (await hasModelRuntime())) {
    say(`No API key: using ${best.name}, which is on this machine.`)
    return best.engine
  }
  if (!mayFetch) return undefined
  say(`No API key: using ${best.name}. It needs ${runtimeText} to run, which are fetched once.${stopHint(options)}`)
  const line = progress(best.name)
  await fetchRuntime(line, signal).finally(() => line.end())
  return best.engine
}

/** The engine of a file that was given by hand, with its facts. Fetches the runtime for it, if that may be. */
async function readyFile(
  { model }: FileEngine,
  { mayFetch, say, progress, signal }: FindEngineOptions,
): Promise<FileEngine> {
  if (mayFetch && !(await hasModelRuntime())) {
    say(`${model.title} needs ${runtimeText} to run, which are fetched once.`)
    const line = progress(model.title)
    await fetchRuntime(line, signal)
      .catch((error: unknown) => {
        throw signal.aborted ? new ExitError(ExitCode.interrupted, `Stopped: ${model.title} cannot run yet.`) : error
      })
      .finally(() => line.end())
  }
  return withFacts(model)
}

async function fetchedEngine(options: FindEngineOptions): Promise<ChosenEngine> {
  const { say, progress, signal } = options
  const [small] = listedModels
  say(
    `No API key: fetching ${small!.title}, a small model that runs on this machine (98 MB, and ${runtimeText} to run it, once).${stopHint(options)}`,
  )
  const line = progress(small!.title)
  return fetchModel(small!, line, signal).finally(() => line.end())
}

function stopHint({ isStoppedByUser }: FindEngineOptions): string {
  return isStoppedByUser ? ' Ctrl-C uses the offline engine.' : ''
}
