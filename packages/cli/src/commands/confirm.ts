import { UsageError } from '../exit.ts'
import { safeLine } from '../terminal/safe-text.ts'

/** Asks a yes-or-no question in the terminal. An empty answer is the default. */
export async function confirm(question: string, isYesByDefault = false): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('Cannot ask for confirmation without a terminal: add --yes')
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = (await lines.question(safeLine(question))).trim()
    return answer === '' ? isYesByDefault : /^y(?:es)?$/i.test(answer)
  } finally {
    lines.close()
  }
}
