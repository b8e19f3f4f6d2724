import type { Metrics, RequestObserver } from '@colloquy/server'
import type { Engine, EngineContext } from 'colloquy/engines'
import {
  type Forwarded,
  MessageAccumulator,
  type MessageCreateParams,
  type MessageStreamEvent,
  type PingEvent,
} from 'colloquy/protocol'
import type { Flags } from '../../flags.ts'
import { writeErrorLine, writeJson } from '../../terminal/output.ts'

/** The metrics and traces of a server. */
export interface Followers {
  metrics?: Metrics
  observers?: readonly RequestObserver[]
}

/** Makes the metrics if they are asked for, and traces if an SDK of OpenTelemetry has been registered. */
export async function followers(flags: Flags, config: { metrics?: boolean } = {}): Promise<Followers> {
  const wantsMetrics = flags.has('metrics') || config.metrics === true
  const metrics = wantsMetrics ? (await import('@colloquy/server/metrics')).prometheusMetrics() : undefined
  const tracing = hasSdk() ? await (await import('@colloquy/server/telemetry')).openTelemetry() : undefined
  return { ...(metrics && { metrics }), ...(tracing && { observers: [tracing] }) }
}

/** Whether the program was started with an SDK, such as by `NODE_OPTIONS='--import ./telemetry.mjs'`. */
function hasSdk(): boolean {
  const registered = (globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')]
  const { trace, metrics } = (registered ?? {}) as { trace?: unknown; metrics?: unknown }
  return trace !== undefined || metrics !== undefined
}

/** Whether the log has the texts of conversations. */
export function logsContent(flags: Flags, config: { logContent?: boolean } = {}): boolean {
  return flags.text('log') === 'full' || config.logContent === true
}

/** The engine, with a log of its requests and replies if that is asked for. Then it warns on standard error. */
export function loggedEngine(engine: Engine, flags: Flags, config: { logContent?: boolean } = {}): Engine {
  if (!logsContent(flags, config)) return engine
  writeErrorLine('Warning: the log contains the text of all requests and replies. A reader of the log reads them.')
  return withContentLog(engine)
}

/** An engine that writes each request and reply as a line of JSON. */
function withContentLog(engine: Engine): Engine {
  async function* logged(params: MessageCreateParams, context: EngineContext = {}): AsyncGenerator<Event> {
    const reply = beginEntry(context, params)
    try {
      for await (const event of engine(params, context)) {
        reply.message.push(event)
        yield event
      }
    } finally {
      reply.write()
    }
  }
  const forward = engine.forward?.bind(engine)
  return Object.assign(logged, engine, forward && { forward: withForwardLog(forward) })
}

type Event = MessageStreamEvent | PingEvent

function withForwardLog(forward: NonNullable<Engine['forward']>): NonNullable<Engine['forward']> {
  return async (request, context = {}): Promise<Forwarded> => {
    const reply = beginEntry(context, request.params)
    const forwarded = await forward(request, context)
    if (forwarded.type === 'body') {
      writeJson({ requestId: context.requestId, reply: forwarded.value })
      return forwarded
    }
    // A client that leaves ends the stream without another read.
    context.signal?.addEventListener('abort', () => reply.write(), { once: true })
    return {
      type: 'stream',
      header: (name) => forwarded.header(name),
      headers: () => forwarded.headers(),
      async read() {
        const next = await forwarded.read()
        for (const event of next?.events ?? []) reply.message.push(event)
        if (next === undefined) reply.write()
        return next
      },
    }
  }
}

/** Writes the request. Returns what collects the reply and writes it once, or as much of it as arrived. */
function beginEntry(
  { requestId }: EngineContext,
  request: MessageCreateParams,
): { message: MessageAccumulator; write(): void } {
  writeJson({ requestId, request })
  const message = new MessageAccumulator()
  let isWritten = false
  return {
    message,
    write() {
      if (!isWritten && message.message) writeJson({ requestId, reply: message.message })
      isWritten = true
    },
  }
}
