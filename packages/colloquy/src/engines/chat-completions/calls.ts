import { parseJson } from '../../protocol/codec/parse-json.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import { isToolInput } from '../../protocol/sendable.ts'
import type { BlockWriter } from '../reply/block-writer.ts'
import type { ChatCallDelta } from './wire.ts'

interface Call {
  name: string
  /** The arguments so far. */
  json: string
  /** How much of the arguments was written. */
  written: number
  isOpen: boolean
  isEnded: boolean
}

/**
 * Writes tool calls one after the other, although a server may send the pieces of several in turn. The first call whose name
 * is known is written as it arrives; another one begins when the arguments of the call before are complete.
 */
export class CallWriter {
  readonly #blocks: BlockWriter
  readonly #calls = new Map<number, Call>()

  constructor(blocks: BlockWriter) {
    this.#blocks = blocks
  }

  get hasCalls(): boolean {
    return [...this.#calls.values()].some(({ isOpen }) => isOpen)
  }

  *push(deltas: readonly ChatCallDelta[]): Generator<MessageStreamEvent> {
    for (const [place, delta] of deltas.entries()) {
      const call = this.#callAt(delta.index ?? place)
      const { name, arguments: given } = delta.function ?? {}
      // A server that repeats the name with each piece sends it whole.
      if (name && call.name !== name) call.name += name
      call.json += typeof given === 'string' ? given : given == null ? '' : JSON.stringify(given)
    }
    yield* this.#write()
  }

  /** Writes the calls that are not complete. @param isCut whether the reply ended at its limit, perhaps within a call. */
  *end(isCut: boolean): Generator<MessageStreamEvent> {
    for (const call of this.#calls.values()) {
      if (call.name === '' || call.isEnded) continue
      yield* this.#writeCall(call)
      if (isCut && !isComplete(call)) return
      checkInput(call)
      yield* this.#blocks.end()
      call.isEnded = true
    }
  }

  *#write(): Generator<MessageStreamEvent> {
    const calls = [...this.#calls.values()]
    for (const [place, call] of calls.entries()) {
      if (call.isEnded) continue
      if (call.name === '') return
      yield* this.#writeCall(call)
      if (place === calls.length - 1 || !isComplete(call)) return
      yield* this.#blocks.end()
      call.isEnded = true
    }
  }

  *#writeCall(call: Call): Generator<MessageStreamEvent> {
    if (!call.isOpen) yield* this.#blocks.call(call.name)
    call.isOpen = true
    yield* this.#blocks.input(call.json.slice(call.written))
    call.written = call.json.length
  }

  #callAt(index: number): Call {
    let call = this.#calls.get(index)
    if (call === undefined) {
      call = { name: '', json: '', written: 0, isOpen: false, isEnded: false }
      this.#calls.set(index, call)
    }
    return call
  }
}

function isComplete({ json }: Call): boolean {
  try {
    return isToolInput(parseJson(json))
  } catch {
    return false
  }
}

function checkInput(call: Call): void {
  if (call.json.trim() === '' || isComplete(call)) return
  throw apiError('api_error', `The model's server ended a call of ${call.name} whose arguments are not a JSON object.`)
}
