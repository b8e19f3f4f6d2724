import { ExitCode, UsageError } from '../../exit.ts'
import { writeDocument, writeLine } from '../../terminal/output.ts'
import type { Command } from '../command.ts'
import { scripts } from './scripts.ts'
import { completeWords } from './words.ts'

/** Runs `colloquy completion SHELL`, and `completion words -- WORDS` for its scripts. */
export async function completion([shell, ...words]: readonly string[], commands: readonly Command[]): Promise<number> {
  if (shell === 'words') {
    for (const word of await completeWords(words, commands)) writeLine(word)
    return ExitCode.ok
  }
  const script = scripts.get(shell ?? '')
  if (script === undefined) {
    throw new UsageError(`Cannot complete for ${shell ?? 'a shell'}: give one of ${[...scripts.keys()].join(', ')}`)
  }
  writeDocument(script)
  return ExitCode.ok
}
