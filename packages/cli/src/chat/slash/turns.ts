import { UsageError } from '../../exit.ts'
import { countText } from '../../format.ts'
import { change, prefill, runTurn, say, type Effect } from '../chat-state.ts'
import { costWarning } from '../cost-warning.ts'
import { messageEffects } from '../message.ts'
import { modelId } from '../settings/model-name.ts'
import { thinkingForModel } from '../settings/thinking.ts'
import { textOf } from '../content/transcript.ts'
import { openConversation, type SlashInput } from './command.ts'

export function edit(input: SlashInput): Effect[] {
  const [which = '1'] = input.words
  const own = openConversation(input).messages.filter(({ role }) => role === 'user')
  const message = own.at(-Number(which))
  if (message === undefined || !/^[1-9]\d*$/.test(which)) {
    throw new UsageError(`Cannot edit message ${which} from the end: you sent ${countText(own.length, 'message')}`)
  }
  return [
    change({ editedMessageId: message.id }),
    say('Change the message and send it. The old one and its replies stay as a branch. Esc leaves it unchanged.'),
    prefill(textOf(message)),
  ]
}

/** Sends a refused message, or else requests another version of the last reply. */
export async function retry(input: SlashInput): Promise<Effect[]> {
  const { state, context } = input
  if (state.unsentText !== undefined) return messageEffects(state.unsentText, state, context)
  const conversation = openConversation(input)
  const [name] = input.words
  const model = name === undefined ? undefined : modelId(name, context.connection.kind)
  const changes = model === undefined ? {} : { model, ...thinkingForModel(conversation.settings, model) }
  const line = ['/retry', ...input.words].join(' ')
  const warning = await costWarning({ line, conversation, model }, state, context)
  if (warning.length > 0) return warning
  const options = { ...context.turnOptions(), ...changes }
  return [change({ unconfirmedLine: undefined }), runTurn(() => conversation.retry(undefined, options))]
}

export async function continueReply(input: SlashInput): Promise<Effect[]> {
  const { state, context } = input
  const conversation = openConversation(input)
  const warning = await costWarning({ line: '/continue', conversation }, state, context)
  if (warning.length > 0) return warning
  return [change({ unconfirmedLine: undefined }), runTurn(() => conversation.continue(context.turnOptions()))]
}

export async function undo(input: SlashInput): Promise<Effect[]> {
  const [count = '1'] = input.words
  if (!/^[1-9]\d{0,3}$/.test(count)) throw new UsageError(`Cannot undo ${count}: give a number of turns`)
  const conversation = openConversation(input)
  const removed = await conversation.undo(Number(count))
  const left = conversation.messages.length
  return [say(`Took back ${countText(removed.length, 'message')}, ${left} left. /branches still lists them.`)]
}
