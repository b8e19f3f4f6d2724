import type { ModelOffer } from '@colloquy/llama'
import { filePaths } from '../file-paths.ts'
import type { Progress } from '../terminal/progress-line.ts'
import type { FileEngine, ModelFile } from './engine-kind.ts'

/** The size of the runtime's download. */
export const runtimeText = '66 MB'

/** Fetches a model, unless it is there, and the runtime for it. If one of them fails, the other is aborted. */
export async function fetchModel(offer: ModelOffer, progress: Progress, signal?: AbortSignal): Promise<FileEngine> {
  const { checkSpace, getModel, runtimeBytes } = await import('@colloquy/llama')
  const failure = new AbortController()
  const either = AbortSignal.any([failure.signal, ...(signal === undefined ? [] : [signal])])
  const options = {
    folder: filePaths().models,
    signal: either,
    onProgress: (done: number, total?: number) => progress.show(done, total),
  }
  // Both at once, as each of them alone may fit.
  if (!(await hasModelRuntime())) await checkSpace(options.folder, (offer.bytes ?? 0) + runtimeBytes)
  try {
    const [path] = await Promise.all([getModel(offer, options), fetchRuntime(progress, either)])
    return await withFacts({ path, title: offer.title, parameters: offer.parameters })
  } finally {
    failure.abort()
  }
}

/** The engine of a model file, with what the file says about it. */
export async function withFacts(model: ModelFile): Promise<FileEngine> {
  const { readGguf } = await import('@colloquy/llama')
  const { parameters, window } = (await readGguf(model.path)) ?? {}
  return { kind: 'local', model: { ...model, parameters: model.parameters ?? parameters, window } }
}

/** Fetches the runtime for model files, unless it is there. */
export async function fetchRuntime(progress: Progress, signal?: AbortSignal): Promise<void> {
  const { hasRuntime, installRuntime } = await import('@colloquy/llama')
  const { runtime } = filePaths()
  if (hasRuntime(runtime)) return
  progress.note('installing the runtime')
  await installRuntime(runtime, signal)
  progress.note('')
}

/** Whether a model file can run without fetching anything. */
export async function hasModelRuntime(): Promise<boolean> {
  const { hasRuntime } = await import('@colloquy/llama')
  return hasRuntime(filePaths().runtime)
}
