import type { Engine } from 'colloquy/engines'
import { type Server, type ServerOptions, createServer } from '../app.ts'
import { type Listening, listen } from '../operate/node.ts'
import { type TestRequest, TestScript } from './test-script.ts'
import type { TestReply } from './test-step.ts'

export type { TestReply, TestStep } from './test-step.ts'
export { type TestRequest, TestScript } from './test-script.ts'

/** Options of `testServer()`, besides those of `createServer()`. */
export interface TestServerOptions extends Omit<ServerOptions, 'engine'> {
  /** The replies and faults, in the order of the requests. */
  script?: readonly TestReply[]
  /** Replies when no step is left, such as `offline()` or `cassette(test)`. Default: an error that clients do not retry. */
  engine?: Engine
  /** The port on the loopback address. Default 0: any free port. */
  port?: number
}

/** A test as its runner passes it to the test function: node:test has `after`, Vitest `onTestFinished`. */
export interface RunningTest {
  /** Registers work for the end of the test, in node:test. */
  after?: (close: () => Promise<void>) => unknown
  /** Registers work for the end of the test, in Vitest. */
  onTestFinished?: (close: () => Promise<void>) => unknown
}

/** A server of a test. */
export interface TestServer extends AsyncDisposable {
  /** The address, for `baseURL` or `ANTHROPIC_BASE_URL`. */
  readonly url: string
  /** Answers in this process, without the port. */
  readonly fetch: Server['fetch']
  /** The requests below `/v1` since the last reset, in order. */
  readonly requests: readonly TestRequest[]
  /** The number of steps that were not used up. */
  readonly remaining: number
  /** Replaces the steps that are left. */
  script(steps: readonly TestReply[]): void
  /** Removes the steps that are left and the recorded requests. */
  reset(): void
  /** Aborts the replies in flight and closes the port. */
  close(): Promise<void>
}

/**
 * Starts a server with scripted replies on a loopback port. Other programs control it by the routes below `/testing`.
 *
 * It closes after the test if that is passed, at the end of the block with `await using`, else by `close()`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { testServer } from '@colloquy/server/testing'
 * import Anthropic from 'colloquy'
 *
 * await using server = await testServer({ script: [{ error: { type: 'overloaded_error' } }, 'Paris.'] })
 * const client = new Anthropic({ baseURL: server.url, apiKey: 'any' })
 * const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }]
 * await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * assert.equal(server.requests.length, 2) // the client received a 529 and retried
 * ```
 */
export async function testServer(options: TestServerOptions = {}, test?: RunningTest): Promise<TestServer> {
  const { script: steps = [], engine, port = 0, routes = [], ...rest } = options
  const script = new TestScript(engine)
  script.script(steps)
  const made = createServer({ ...rest, engine: script.engine, routes: [script.routes, ...routes] })
  const server = script.around(made)
  const listening = await listen(server, { port })
  const close = closer(listening)
  // Vitest has no `after`, and node:test no `onTestFinished`.
  ;(test?.onTestFinished ?? test?.after)?.call(test, close)
  return {
    url: listening.url,
    fetch: (input, init) => server.fetch(input, init),
    get requests() {
      return script.requests
    },
    get remaining() {
      return script.remaining
    },
    script: (next) => script.script(next),
    reset: () => script.reset(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Closes at the first call. Further calls wait for the same end. */
function closer(listening: Listening): () => Promise<void> {
  let closed: Promise<void> | undefined
  return () => (closed ??= listening.close({ graceMs: 0 }))
}
