import type { ReadStream, WriteStream } from 'node:tty'
import { Channel } from '../../chat/surface/channel.ts'
import { inTemplate, templateStart } from '../../config/defaults.ts'
import { greeting } from '../../chat/greeting.ts'
import { InteractiveChat } from '../../chat/interactive-chat.ts'
import { TerminalSurface, type UserInput } from '../../chat/surface/terminal-surface.ts'
import { knownEngine } from '../../engine/choose.ts'
import { ExitCode } from '../../exit.ts'
import { filePaths } from '../../file-paths.ts'
import type { Flags } from '../../flags.ts'
import { painterFor } from '../../terminal/color-support.ts'
import { paintSpans } from '../../terminal/style.ts'
import { wrap } from '../../terminal/wrap.ts'

/** The terminal of a chat. */
export interface ChatTerminal {
  input: ReadStream
  output: WriteStream
}

/** Runs `colloquy chat` on a terminal. The prompt is shown before the rest of the program is loaded. */
export async function chat(
  words: readonly string[],
  flags: Flags,
  { input, output }: ChatTerminal = { input: process.stdin, output: process.stdout },
): Promise<number> {
  if (flags.has('plain') || process.env['TERM'] === 'dumb') {
    return (await import('../../chat/plain-chat.ts')).plainChat(words, flags)
  }
  const paint = painterFor({ color: flags.text('color'), theme: flags.text('theme') })
  const inputs = new Channel<UserInput>()
  const surface = new TerminalSurface({
    input,
    output,
    paint,
    historyPath: filePaths().history,
    send: (userInput) => inputs.push(userInput),
  })
  const engine = knownEngine(flags)
  const lines = wrap([{ text: greeting(flags, engine).join('\n'), style: { dim: true } }], surface.columns - 1)
  if (flags.text('keys') === 'vi') surface.setLook({ keys: 'vi' })
  surface.open([...lines.map((spans) => paintSpans(spans, paint)), ''])
  input.on('end', () => inputs.push({ kind: 'leave', exitCode: ExitCode.hangup }))
  const first = await firstMessage(words, flags)
  if (first.draft !== '') surface.prefill(first.draft)
  const interactive = new InteractiveChat(surface, inputs, { flags, words: first.words, engine })
  const exitCode = await interactive.run()
  surface.close()
  if (interactive.resumeHint !== undefined) surface.print(interactive.resumeHint)
  return exitCode
}

/** The first message, or with a template that is not complete the text to complete it in the editor. */
async function firstMessage(
  words: readonly string[],
  flags: Flags,
): Promise<{ words: readonly string[]; draft: string }> {
  if (words.length > 0) return { words: [await inTemplate(words.join(' '), flags)], draft: '' }
  const start = await templateStart(flags)
  if (start === undefined) return { words, draft: '' }
  return start.isComplete ? { words: [start.text], draft: '' } : { words, draft: start.text }
}
