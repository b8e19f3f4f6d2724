import { writeFileSync } from 'node:fs'
import { UsageError } from '../../exit.ts'
import { countText } from '../../format.ts'
import { systemReason } from '../../system-error.ts'
import { copy, say, type Effect } from '../chat-state.ts'
import { codeBlocks, exportChat, formatOf, textOf } from '../content/transcript.ts'
import { lastReply, openConversation, type SlashInput } from './command.ts'

export function copyReply(input: SlashInput): Effect[] {
  const [part, which = '1'] = input.words
  const text = textOf(lastReply(input))
  if (part === undefined) return [copy(text), say(`Copied the reply, ${text.length} characters of Markdown.`)]
  const blocks = codeBlocks(text)
  const block = part === 'code' ? blocks[Number(which) - 1] : undefined
  if (block === undefined) {
    const found = countText(blocks.length, 'code block')
    throw new UsageError(`Cannot copy ${part} ${which}: the reply has ${found}, as in /copy code 1`)
  }
  return [copy(block), say(`Copied code block ${which} of ${blocks.length}.`)]
}

/** Writes the chat to a new file. An existing file is not overwritten. */
export function save(input: SlashInput): Effect[] {
  const format = formatOf(input.rest)
  if (format === undefined) throw new UsageError('Cannot save: give a file name that ends in .md, .json or .html')
  const text = exportChat(openConversation(input), format)
  try {
    writeFileSync(input.rest, text, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(`Cannot save to ${input.rest}: ${systemReason(error)}`)
  }
  return [say(`Saved to ${input.rest}.`)]
}
