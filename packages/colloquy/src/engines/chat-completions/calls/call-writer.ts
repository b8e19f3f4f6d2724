import { apiError } from '../../../protocol/types/error-response.ts'
import type { MessageStreamEvent } from '../../../protocol/types/event.ts'
import type { BlockWriter } from '../../reply/block-writer.ts'
import { callIdWith } from '../../call-id.ts'
import { argumentsText, CallArguments } from './call-arguments.ts'
import type { ChatCallDelta } from '../wire.ts'

interface Call {
  /** The server's id. Undefined if it gave none. */
  id: string | undefined
  name: string
  input: CallArguments
  isOpen: boolean
  isEnded: boolean
  /** Fields of the server that it wants back with the call. */
  extra: unknown
}

/**
 * Writes tool calls one after the other, although a server may send the pieces of several in turn. The first call whose name
 * is known is written as it arrives; another one begins when the arguments of the call before are complete.
 */
export class CallWriter {
  readonly #blocks: BlockWriter
  readonly #calls: Call[] = []
  readonly #byIndex = new Map<number, Call>()

  constructor(blocks: BlockWriter) {
    this.#blocks = blocks
  }

  get hasCalls(): boolean {
    return this.#calls.some(({ isOpen }) => isOpen)
  }

  /** Whether a call lacks arguments that may still come. */
  get isUnfinished(): boolean {
    return this.#calls.some((call) => call.name !== '' && !call.isEnded && !call.input.isComplete)
  }

  *push(deltas: readonly ChatCallDelta[]): Generator<MessageStreamEvent> {
    for (const [place, delta] of deltas.entries()) {
      const call = this.#callOf(delta, place)
      const { name, arguments: given } = delta.function ?? {}
      // A server that repeats the name with each piece sends it whole.
      if (name && call.name !== name) call.name += name
      call.input.push(argumentsText(given))
      call.extra ??= delta.extra_content
    }
    yield* this.#write()
  }

  /** Writes the calls that are not complete. @param isCut whether the reply ended at its limit, perhaps within a call. */
  *end(isCut: boolean): Generator<MessageStreamEvent> {
    for (const call of this.#calls) {
      if (call.name === '' || call.isEnded) continue
      call.input.unwrap()
      yield* this.#writeCall(call)
      if (isCut && !call.input.isComplete) return
      checkInput(call)
      yield* this.#blocks.end()
      call.isEnded = true
    }
  }

  *#write(): Generator<MessageStreamEvent> {
    for (const [place, call] of this.#calls.entries()) {
      if (call.isEnded) continue
      // The name may come in pieces, and is complete when the arguments begin. Their beginning may have to be replaced.
      if (call.name === '' || (!call.input.hasMember && place === this.#calls.length - 1)) return
      yield* this.#writeCall(call)
      if (place === this.#calls.length - 1 || !call.input.isComplete) return
      yield* this.#blocks.end()
      call.isEnded = true
    }
  }

  *#writeCall(call: Call): Generator<MessageStreamEvent> {
    if (!call.isOpen) yield* this.#blocks.call(call.name, callIdWith(call.extra))
    call.isOpen = true
    yield* this.#blocks.input(call.input.take())
  }

  /** The call of a piece. Some servers give no index, or the same one to every call. */
  #callOf(delta: ChatCallDelta, place: number): Call {
    const { index, id } = delta
    const known = index == null ? this.#withoutIndex(delta, place) : this.#byIndex.get(index)
    const call = known === undefined || beginsAnother(known, delta) ? this.#begin() : known
    if (index != null) this.#byIndex.set(index, call)
    call.id ??= id || undefined
    return call
  }

  /** Several calls in one piece are apart from each other. Else a piece continues the call of its id, or the last one. */
  #withoutIndex({ id }: ChatCallDelta, place: number): Call | undefined {
    const same = id ? this.#calls.find((call) => call.id === id) : undefined
    return same ?? (place === 0 ? this.#calls.at(-1) : undefined)
  }

  #begin(): Call {
    const input = new CallArguments()
    const call = { id: undefined, name: '', input, isOpen: false, isEnded: false, extra: undefined }
    this.#calls.push(call)
    return call
  }
}

/** Whether a piece with a name belongs to a new call, since the one that it would continue has all its arguments. */
function beginsAnother({ id: known, name, input }: Call, { id, function: called }: ChatCallDelta): boolean {
  if (!called?.name || name === '' || (!input.isEmpty && !input.isComplete)) return false
  if (id && known) return id !== known
  return !input.isEmpty && called.arguments != null && called.arguments !== ''
}

function checkInput({ name, input }: Call): void {
  if (input.isEmpty || (input.isComplete && input.canBeWritten)) return
  throw apiError('api_error', `The model's server ended a call of ${name} whose arguments are not a JSON object.`)
}
