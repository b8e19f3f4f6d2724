import { writeFileSync } from 'node:fs'
import { UsageError } from '../../exit.ts'
import { withHome } from '../../file-paths.ts'
import { systemReason } from '../../errors/system-error.ts'
import { copy, say, type Effect } from '../chat-state.ts'
import { blocksText, codeBlocks, findCode } from '../content/code-blocks.ts'
import { exportChat, formatOf, omissionOf, textOf } from '../content/transcript.ts'
import { lastReply, openConversation, type SlashInput } from './command.ts'

export function copyReply(input: SlashInput): Effect[] {
  const [part, which = '1'] = input.words
  const text = textOf(lastReply(input))
  if (part === undefined) return [copy(text), say(`Copied the reply, ${text.length} characters of Markdown.`)]
  const blocks = codeBlocks(text)
  if (part !== 'code') throw new UsageError(`Cannot copy ${part}: give nothing, code, code 2 or code python`)
  const block = /^\d+$/.test(which) ? blocks[Number(which) - 1] : findCode(blocks, which)
  if (block === undefined) {
    throw new UsageError(`Cannot copy code ${which}: the reply has ${blocksText(blocks)}`)
  }
  return [copy(block.code), say(`Copied code block ${blocks.indexOf(block) + 1} of ${blocks.length}.`)]
}

/** Writes the chat to a new file. An existing file is not overwritten. */
export async function save(input: SlashInput): Promise<Effect[]> {
  const format = formatOf(input.rest)
  if (format === undefined)
    throw new UsageError('Cannot save: give a file name that ends in .md, .json, .jsonl or .html')
  const chat = openConversation(input)
  const text = await exportChat(input.context.chats, chat, format)
  try {
    writeFileSync(withHome(input.rest), text, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(`Cannot save to ${input.rest}: ${systemReason(error)}`)
  }
  const omission = await omissionOf(chat, format)
  return [say(`Saved to ${input.rest}.`, ...(omission === undefined ? [] : [omission]))]
}
