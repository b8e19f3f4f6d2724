import { ExitCode } from './exit.ts'

/** How long to wait silently for standard input that does not end. Milliseconds. */
const patienceMs = 3000

/** Everything that is piped in. Says on standard error what it waits for, should that take long. */
export async function readAll(input: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const note = setTimeout(() => {
    process.stderr.write('Reading standard input; it has not ended yet. Without input, add </dev/null.\n')
  }, patienceMs)
  try {
    const chunks: Buffer[] = []
    for await (const chunk of input) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  } finally {
    clearTimeout(note)
  }
}

/** Whether the user, or the machine, wants the program to end. */
export interface Stopping {
  readonly signal: AbortSignal
  /** The code that goes with the signal that came; undefined as long as none did. */
  readonly exitCode: number | undefined
  dispose(): void
}

/** The first signal stops the work, so that what there is can be kept; the second ends the program. */
export function stopOnSignals(): Stopping {
  const controller = new AbortController()
  const codes = { SIGINT: ExitCode.interrupted, SIGTERM: ExitCode.terminated, SIGHUP: 129 } as const
  let exitCode: number | undefined
  const handlers = Object.entries(codes).map(([name, code]) => {
    const onSignal = (): void => {
      if (exitCode !== undefined) process.exit(code)
      exitCode = code
      controller.abort()
    }
    process.on(name, onSignal)
    return () => process.off(name, onSignal)
  })
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    dispose: () => {
      for (const remove of handlers) remove()
    },
  }
}
