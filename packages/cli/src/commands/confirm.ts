import { UsageError } from '../exit.ts'
import { writeErrorLine } from '../terminal/output.ts'
import { safeLine } from '../terminal/safe-text.ts'

/**
 * Asks a yes-or-no question in the terminal. An empty answer is the default, and Ctrl-D is no. Ctrl-C is no, and interrupts the
 * program as it does without a question.
 */
export async function confirm(question: string, isYesByDefault = false): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('Cannot ask for confirmation without a terminal: add --yes')
  const { createInterface } = await import('node:readline')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const { promise, resolve } = Promise.withResolvers<string>()
  let isAnswered = false
  lines.once('close', () => {
    if (!isAnswered) writeErrorLine('')
    resolve('no')
  })
  lines.once('SIGINT', () => {
    if (!process.emit('SIGINT')) process.kill(process.pid, 'SIGINT')
    lines.close()
  })
  lines.question(safeLine(question), (line) => {
    isAnswered = true
    resolve(line)
  })
  const answer = (await promise).trim()
  lines.close()
  return answer === '' ? isYesByDefault : /^y(?:es)?$/i.test(answer)
}
