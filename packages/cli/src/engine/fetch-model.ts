import type { FoundModel, ListedModel } from '@colloquy/llama'
import { filePaths } from '../file-paths.ts'
import type { ChosenModel } from './chosen-model.ts'
import { ProgressLine } from '../terminal/progress-line.ts'

/** Fetches a model, unless it is on this machine, and the runtime for it. Shows the progress on standard error. */
export async function fetchModel(model: FoundModel | ListedModel, signal?: AbortSignal): Promise<ChosenModel> {
  const { getModel, hasRuntime, installRuntime } = await import('@colloquy/llama')
  const { models, runtime } = filePaths()
  const line = new ProgressLine('path' in model ? (model.name ?? model.id) : model.title)
  try {
    const needsRuntime = !hasRuntime(runtime)
    if (needsRuntime) line.note('installing the runtime')
    const installing = needsRuntime ? installRuntime(runtime, signal).then(() => line.note('')) : Promise.resolve()
    const options = { folder: models, signal, onProgress: (done: number, total?: number) => line.show(done, total) }
    const fetching = 'path' in model ? Promise.resolve(model.path) : getModel(model, options)
    const [path] = await Promise.all([fetching, installing])
    const title = 'path' in model ? (model.name ?? model.id) : model.title
    return { path, title, parameters: model.parameters }
  } finally {
    line.end()
  }
}
