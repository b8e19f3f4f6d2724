import { writeErrorLine } from '../terminal/output.ts'
import type { Flags } from '../flags.ts'
import { filePaths } from '../file-paths.ts'
import { chooseModel, declineModel, hasDeclined } from './chosen-model.ts'
import { engineKind, isByDefault } from './engine-kind.ts'
import { fetchModel } from './fetch-model.ts'

/** A model below this size, in millions of parameters, is not used only because it is there. */
const usefulParameters = 1_000

/**
 * Gives a first chat a model: one of at least a billion parameters that another program keeps on this machine, else a small
 * one that is fetched once. Does nothing with a key, with `CI`, if an engine was named, and after a download was interrupted.
 */
export async function provideFirstModel(flags: Flags): Promise<void> {
  if (!isByDefault(flags) || process.env['CI'] || engineKind(flags).kind !== 'offline' || hasDeclined()) return
  const { findModels, listedModels } = await import('@colloquy/llama')
  const found = (await findModels({ own: filePaths().models })).filter(
    ({ parameters = 0 }) => parameters >= usefulParameters,
  )
  const [best] = found.toSorted((a, b) => a.bytes - b.bytes)
  const [small] = listedModels
  const controller = new AbortController()
  const interrupt = (): void => controller.abort()
  process.once('SIGINT', interrupt)
  try {
    writeErrorLine(
      best === undefined
        ? `No API key: fetching ${small!.title}, a small model that runs on this machine (93 MB, and 66 MB to run it, once). Ctrl-C uses the offline engine.`
        : `No API key: using ${best.name ?? best.id} of ${best.from}. It needs 66 MB to run, which are fetched once. Ctrl-C uses the offline engine.`,
    )
    const model = await fetchModel(best ?? small!, controller.signal)
    chooseModel(model)
  } catch (error) {
    if (controller.signal.aborted) declineModel()
    writeErrorLine(
      controller.signal.aborted
        ? 'Stopped: the offline engine replies.'
        : `${(error as Error).message} The offline engine replies.`,
    )
  } finally {
    process.off('SIGINT', interrupt)
  }
}
