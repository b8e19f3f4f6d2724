import { ExitCode, UsageError } from './exit.ts'
import { byteText } from './format.ts'
import { writeErrorLine } from './terminal/output.ts'

/** Standard input that has not ended after this time is mentioned on standard error. Milliseconds. */
const patienceMs = 3000

/**
 * Reads the input to its end. If that takes long, says on standard error that the program is waiting. Throws a `UsageError`
 * after `maxBytes`.
 */
export async function readAll(input: AsyncIterable<Uint8Array | string>, maxBytes: number = Infinity): Promise<Buffer> {
  const note = setTimeout(() => {
    writeErrorLine('Reading standard input; it has not ended yet. Without input, add </dev/null.')
  }, patienceMs)
  try {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk)
      chunks.push(bytes)
      length += bytes.length
      if (length > maxBytes) throw new UsageError(`Cannot read standard input: it has more than ${byteText(maxBytes)}`)
    }
    return Buffer.concat(chunks)
  } finally {
    clearTimeout(note)
  }
}

const signalCodes = {
  SIGINT: ExitCode.interrupted,
  SIGTERM: ExitCode.terminated,
  SIGHUP: ExitCode.hangup,
} as const

/** Calls back with the exit code of each signal that asks the program to end. Returns a function that stops listening. */
export function onStopSignal(onSignal: (exitCode: number) => void): () => void {
  const removers = Object.entries(signalCodes).map(([name, code]) => {
    const listener = (): void => onSignal(code)
    process.on(name, listener)
    return () => process.off(name, listener)
  })
  return () => {
    for (const remove of removers) remove()
  }
}

/** Tells whether a signal has asked the program to end. */
export interface StopRequest {
  readonly signal: AbortSignal
  /** The exit code of the first signal; undefined before it. */
  readonly exitCode: number | undefined
  dispose(): void
}

/** The first signal aborts `signal`, so that what has arrived can be kept. The second ends the program. */
export function stopOnSignals(): StopRequest {
  const controller = new AbortController()
  let exitCode: number | undefined
  const dispose = onStopSignal((code) => {
    if (exitCode !== undefined) process.exit(code)
    exitCode = code
    controller.abort()
  })
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    dispose,
  }
}
