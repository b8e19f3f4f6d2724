import type { Llama, Runtime } from './runtime.ts'

/** The last lines of the runtime's log: its errors name no reason, the log does. */
const log: string[] = []
const maxLines = 50

/**
 * One instance for each number of threads, which stays: an instance that ends takes the log of the others along. It holds
 * hardly any memory without a model.
 */
const instances = new Map<number, Promise<Llama>>()

export function instanceOf(runtime: Runtime, threads: number): Promise<Llama> {
  let instance = instances.get(threads)
  if (instance === undefined) {
    instance = runtime.getLlama({
      gpu: false,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads,
      logLevel: runtime.LlamaLogLevel.error,
      logger: (_level: unknown, message: string) => {
        log.push(message)
        if (log.length > maxLines) log.shift()
      },
    })
    instances.set(threads, instance)
    instance.catch(() => instances.delete(threads))
  }
  return instance
}

/** Empties the log, and returns what it held. */
export function takeLog(): string {
  return log.splice(0).join('\n')
}
