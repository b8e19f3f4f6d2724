import type { EngineContext, ScriptedReply, Step } from 'colloquy/engines'

/** A step of `script()`, with changes to the HTTP response. */
export interface TestStep extends Omit<Step, 'when'> {
  /** Selects the requests that the step answers: a function, or fields that the params have. Default: any. */
  when?: Step['when'] | Readonly<Record<string, unknown>>
  /** Replaces parts of the response: the page of a gateway, or a wrong content type. */
  response?: { status?: number; headers?: Record<string, string>; body?: string } | undefined
  /** Breaks the connection after this number of bytes of the body. */
  cutAfterBytes?: number | undefined
}

/** A reply, or a step with faults. */
export type TestReply = ScriptedReply | TestStep

/** The changes that a step makes to the response. */
export type ResponseChanges = Pick<TestStep, 'response' | 'cutAfterBytes'>

/** The step for `script()`. Calls `onTake` when it is taken, with the changes to the response. */
export function toScriptStep(
  given: TestReply,
  onTake: (context: EngineContext, changes: ResponseChanges) => void,
): Step {
  if (!isTestStep(given)) return { reply: given, when: () => true }
  const { when, response, cutAfterBytes, ...step } = given
  return {
    ...step,
    when(params, context) {
      const isMeant = typeof when === 'function' ? when(params, context) : includes(params, when ?? {})
      if (isMeant) onTake(context, { response, cutAfterBytes })
      return isMeant
    },
  }
}

function isTestStep(given: TestReply): given is TestStep {
  return typeof given === 'object' && given !== null && !Array.isArray(given) && !('content' in given)
}

/** Whether a value has all fields of another, at any depth. */
function includes(value: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return value === part
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(part).every(([key, each]) => includes((value as Record<string, unknown>)[key], each))
}

/** The response with the changes. */
export function changeResponse(original: Response, { response = {}, cutAfterBytes }: ResponseChanges): Response {
  const { status = original.status, headers: given = {}, body = original.body } = response
  const headers = new Headers(original.headers)
  for (const [name, value] of Object.entries(given)) headers.set(name, value)
  // Sent piece by piece, whatever its type.
  headers.set('transfer-encoding', 'chunked')
  const changed = new Response(body, { status, headers })
  if (cutAfterBytes === undefined) return changed
  return new Response(changed.body?.pipeThrough(cutter(cutAfterBytes)) ?? null, { status, headers })
}

function cutter(bytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = bytes
  return new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      if (left > 0) controller.enqueue(chunk.subarray(0, left))
      left -= chunk.length
      if (left > 0) return
      // An error discards the pieces that were not read.
      await new Promise((resolve) => setImmediate(resolve))
      controller.error(new Error(`The connection was cut after ${bytes} bytes`))
    },
  })
}
