import { isUtf8 } from 'node:buffer'
import { attach, type Attachment, mentionedFiles, sourcesFrom } from '../../chat/content/attach.ts'
import { inTemplate } from '../../config/defaults.ts'
import { UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { readAll } from '../../process.ts'
import { textIn } from '../../read-text.ts'
import { writeErrorLine } from '../../terminal/output.ts'
import { programName } from '../../terminal/program-name.ts'

/** The message of `ask`. */
export interface Message {
  /** The words of the command line. Only they can mention files and resources. */
  prompt: string
  text: string
  attachments: Attachment[]
}

/** The most bytes of a request to the API. */
const maxInputBytes = 32 * 1024 * 1024

/**
 * The message: the attached and mentioned files, then the prompt with the text from standard input. A picture or PDF from there
 * is attached. `-` as the last word reads standard input even if it is a terminal.
 */
export async function messageFrom(words: readonly string[], flags: Flags): Promise<Message> {
  const takesInput = words.at(-1) === '-'
  const prompt = (takesInput ? words.slice(0, -1) : words).join(' ').trim()
  const given = sourcesFrom(flags)
  const input = process.stdin.isTTY && !takesInput ? undefined : await readAll(process.stdin, maxInputBytes)
  // A picture or a PDF, or bytes that the error names: no text has a zero byte.
  const files = !given.includes('-') && input?.includes(0) ? [...given, '-'] : given
  const inText = files.includes('-') ? '' : pipedText(input ?? Buffer.alloc(0))
  const text = await inTemplate(withInput(prompt, inText), flags)
  const attachments: Attachment[] = []
  for (const source of [...files, ...mentionedFiles(prompt)]) attachments.push(await attach(source, input))
  if (text.trim() === '' && attachments.length === 0) {
    throw new UsageError(`Nothing to ask. Give a prompt, or pipe one in: echo "Hello" | ${programName} ask`)
  }
  return { prompt, text, attachments }
}

function pipedText(input: Buffer): string {
  if (!isUtf8(input)) writeErrorLine('Standard input is not all UTF-8: the model reads � in the place of other bytes.')
  return textIn(input)
}

/** Appends the piped text to the prompt, marked as `<stdin>`. Without a prompt it is the prompt. */
function withInput(prompt: string, input: string): string {
  const trimmed = input.replace(/\n+$/, '')
  if (prompt === '') return trimmed
  return trimmed === '' ? prompt : `${prompt}\n\n<stdin>\n${trimmed}\n</stdin>`
}
