// Loaded with the first request that OpenTelemetry traces.
import type { FinalRequestOptions } from '../request/options.ts'
import { mergeHeaders, type HeadersLike } from '../request/headers.ts'
import type { Log } from '../request/log.ts'
import { listOf, version } from '../request/request.ts'
import type { RequestParts } from '../request/retrying-request.ts'
import type { Transport, WireRequest } from '../transport/transport.ts'
import { APIError } from '../../protocol/types/error.ts'
import { countAttributes, fieldAt, messageAttributes, requestAttributes } from './attributes.ts'
import { contentAttributes } from './content.ts'
import { activeContext, within, withSpan } from './context.ts'
import type { Attribute, Context, OpenTelemetryOptions, RegisteredApi, Span, TracerProvider } from './open-telemetry.ts'
import { routeOf, type Route } from './routes.ts'
import { observed, type Outcome } from './observed-response.ts'
import { type Settings, settingsOf } from './settings.ts'
import { attempted, conversation, setFailed, setSucceeded } from './status.ts'

/** The parts of a client that its spans need. */
export interface TracedClient {
  openTelemetry?: OpenTelemetryOptions | false | null | undefined
  api: RegisteredApi
  baseURL: string
  defaultHeaders?: HeadersLike | null | undefined
  log: Log
}

/** `SpanKind.CLIENT` of OpenTelemetry. */
const clientKind = 2

/** The parts of a request, with a span around all of its attempts. */
export function traced(parts: RequestParts, options: FinalRequestOptions, client: TracedClient): RequestParts {
  const { openTelemetry, api } = client
  const option = openTelemetry || undefined
  const route = routeOf(options.method, options.path)
  const settings = settingsOf(option)
  if (!route || !settings.enabled) return parts
  const call = attempted(client.log, () =>
    CallSpan.start(options, client, { route, settings, api, provider: option?.tracerProvider ?? api.trace }),
  )
  if (!call) return parts
  return {
    ...parts,
    prepare: async (attempt) => call.prepared(await parts.prepare(attempt)),
    transport: async () => call.through(await parts.transport()),
    failed: (error) => {
      call.end(undefined, error)
      return parts.failed?.(error)
    },
  }
}

/** The span of one call of a method: its attempts, the waits between them, and the reading of its reply. */
class CallSpan {
  readonly #span: Span
  readonly #route: Route
  readonly #settings: Settings
  readonly #body: unknown
  readonly #log: Log
  readonly #api: RegisteredApi
  readonly #context: Context
  readonly #startedAt = Date.now()
  #attempts = 0
  #isOver = false

  /** Starts the span, as a child of the current one. */
  static start(
    options: FinalRequestOptions,
    client: TracedClient,
    call: { route: Route; settings: Settings; api: RegisteredApi; provider: TracerProvider | undefined },
  ): CallSpan | undefined {
    const { route, api, provider } = call
    const attributes = {
      'gen_ai.provider.name': 'anthropic',
      ...serverAttributes(client.baseURL),
      'http.route': route.route,
      ...conversation(options.openTelemetry?.conversationId),
      ...(route.id?.value !== undefined && { [route.id.attribute]: route.id.value }),
      ...requestAttributes(route.name, options.body),
      ...(route.name === 'anthropic.messages.create' && betaAttribute(options, client.defaultHeaders)),
    }
    const parent = activeContext(api)
    const span = provider
      ?.getTracer('colloquy', version)
      .startSpan(route.name, { kind: clientKind, attributes }, parent)
    const isValid = span && /[1-9a-f]/.test(span.spanContext().traceId)
    // A span that neither records nor propagates has no effect.
    if (!span || (!span.isRecording() && !isValid)) return undefined
    return new CallSpan(span, { ...call, options, parent, log: client.log })
  }

  private constructor(
    span: Span,
    call: {
      route: Route
      settings: Settings
      options: FinalRequestOptions
      api: RegisteredApi
      parent: Context
      log: Log
    },
  ) {
    this.#span = span
    this.#route = call.route
    this.#settings = call.settings
    this.#body = call.options.body
    this.#log = call.log
    this.#api = call.api
    this.#context = withSpan(call.parent, span)
    this.#recordContent(undefined)
  }

  /** A request that carries the trace context. */
  prepared(request: WireRequest): WireRequest {
    const headers = { ...request.headers }
    this.#try(() => {
      if (this.#settings.propagation) this.#api.propagation?.inject(this.#context, headers, carrierSetter)
      this.#recordAttempt(request)
    })
    return { ...request, headers }
  }

  /** A transport whose requests run inside the span, and whose replies it records. */
  through(transport: Transport): Transport {
    return (request) => {
      const send = (): ReturnType<Transport> => transport(request)
      const pending = within(this.#api, this.#context, send)
      const response = pending.response.then((received) => {
        if (received.status < 200 || received.status >= 300 || !this.#span.isRecording()) return received
        return observed(received, {
          isMessage: this.#route.name === 'anthropic.messages.create',
          keepsContent: this.#settings.contentMode === 'content',
          firstDelta: () => this.#set({ 'gen_ai.response.time_to_first_chunk': (Date.now() - this.#startedAt) / 1000 }),
          end: (outcome, error) => this.end({ ...outcome, response: received }, error),
        })
      })
      return {
        response,
        cancel: (error) => pending.cancel(error),
        ...(pending.beganAt && { beganAt: () => pending.beganAt!() }),
      }
    }
  }

  /** Ends the span, once. */
  end(outcome: Outcome | undefined, error?: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#try(() => this.#record(outcome, error))
    this.#try(() => this.#span.end())
  }

  #record(outcome: Outcome | undefined, error: unknown): void {
    const { response, value, isComplete = true } = outcome ?? {}
    const failure = error instanceof APIError ? error : undefined
    const status = response?.status ?? failure?.status
    if (status !== undefined) this.#set({ 'http.response.status_code': status })
    for (const [attribute, name] of responseHeaders) {
      const header = response?.header(name) ?? failure?.headers?.get(name)
      if (header) this.#set({ [attribute]: header })
    }
    if (value !== undefined) this.#recordValue(value, isComplete)
    if (outcome?.isCancelled) return
    if (error === undefined) setSucceeded(this.#span)
    else setFailed(this.#span, error)
  }

  #recordValue(value: unknown, isComplete: boolean): void {
    const { name, id } = this.#route
    if (name === 'anthropic.messages.create') {
      this.#set(messageAttributes(value, isComplete))
      this.#recordContent(fieldAt(value, ['content']) ?? [])
    }
    if (name === 'anthropic.messages.count_tokens') this.#set(countAttributes(value))
    const created = fieldAt(value, ['id'])
    if (id?.value === undefined && id && typeof created === 'string') this.#set({ [id.attribute]: created })
  }

  /** The text of the request, and of the reply once there is one. */
  #recordContent(reply: unknown): void {
    const { contentMode, maxContentBytes } = this.#settings
    if (contentMode !== 'content' || this.#route.name !== 'anthropic.messages.create') return
    this.#try(() => this.#set(contentAttributes(this.#body, reply, maxContentBytes)))
  }

  #recordAttempt({ method, url }: WireRequest): void {
    this.#attempts++
    if (this.#attempts > 1) {
      this.#set({ 'http.request.resend_count': this.#attempts - 1 })
      return
    }
    const { protocol, host, pathname, searchParams } = new URL(url)
    const shown = new URLSearchParams([...searchParams].filter(([name]) => this.#route.query.includes(name)))
    const query = shown.size === 0 ? '' : `?${shown}`
    this.#set({
      'http.request.method': method,
      'url.scheme': protocol.slice(0, -1),
      'url.path': pathname,
      ...(query && { 'url.query': query.slice(1) }),
      'url.full': `${protocol}//${host}${pathname}${query}`,
    })
  }

  #set(attributes: Record<string, Attribute>): void {
    for (const [name, value] of Object.entries(attributes)) this.#span.setAttribute(name, value)
  }

  #try(record: () => void): void {
    attempted(this.#log, record)
  }
}

const responseHeaders = [
  ['anthropic.request.id', 'request-id'],
  ['anthropic.organization.id', 'anthropic-organization-id'],
  ['anthropic.workspace.id', 'anthropic-workspace-id'],
] as const

const carrierSetter = {
  set(carrier: Record<string, string>, name: string, value: string): void {
    carrier[name.toLowerCase()] = value
  },
}

function serverAttributes(baseURL: string): Record<string, Attribute> {
  const { hostname, port, protocol } = new URL(baseURL)
  const usual = protocol === 'http:' ? 80 : 443
  return { 'server.address': hostname.replace(/^\[(.*)\]$/, '$1'), 'server.port': port ? Number(port) : usual }
}

function betaAttribute(
  { betas, headers }: FinalRequestOptions,
  defaults: HeadersLike | null | undefined,
): Record<string, Attribute> {
  const given = { 'anthropic-beta': listOf(betas).join(',') || undefined }
  const text = mergeHeaders(defaults, given, headers).values['anthropic-beta'] ?? ''
  const names = text.split(',').flatMap((name) => name.trim() || [])
  return names.length > 0 ? { 'anthropic.beta': names } : {}
}
