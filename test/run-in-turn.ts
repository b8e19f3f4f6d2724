// Runs the programs of its parameters one after another, with a mark before the output of each: see runInTurn() in program.ts.
import { pathToFileURL } from 'node:url'

/** A character that no program prints. */
export const mark = '\u001E'

if (import.meta.main)
  for (const file of process.argv.slice(2)) {
    process.stdout.write(mark)
    process.stderr.write(mark)
    await import(pathToFileURL(file).href)
  }
