import { ExitCode } from '../../exit.ts'
import { readAll } from '../../process.ts'
import { writeErrorLine, writePrompt } from '../../terminal/output.ts'

/** No key is longer. */
const maxSecretBytes = 100_000

/** Reads a secret without showing it: typed at the terminal, or from a pipe. */
export async function readSecretInput(prompt: string): Promise<string> {
  if (!process.stdin.isTTY) return (await readAll(process.stdin, maxSecretBytes)).toString('utf8').trim()
  writePrompt(prompt)
  process.stdin.setRawMode(true)
  try {
    return (await typedLine(process.stdin)).trim()
  } finally {
    process.stdin.setRawMode(false)
    process.stdin.pause()
    writeErrorLine('')
  }
}

/** Reads to the end of the line. Backspace deletes; Ctrl-C ends the program. */
async function typedLine(input: AsyncIterable<Buffer>): Promise<string> {
  let line = ''
  for await (const chunk of input) {
    // A paste may be put between escape sequences.
    const text = chunk.toString('utf8').replaceAll(/\u001B\[\d*~/g, '')
    for (const character of text) {
      if (character === '\r' || character === '\n' || character === '\u0004') return line
      if (character === '\u0003') process.exit(ExitCode.interrupted)
      line = character === '\u007F' || character === '\b' ? line.slice(0, -1) : line + character
    }
  }
  return line
}
