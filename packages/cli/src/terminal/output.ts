import { safeJson, safeLine, safePainted, safeText } from './safe-text.ts'

/*
 * Every write of the program to standard output and standard error is in this file, except those of `Screen` and `Terminal`,
 * which filter in the same way.
 */

/** The text that waits to be written together with what follows within `gatherMs`. */
let waiting = ''
const gatherMs = 50

function write(text: string): void {
  flush()
  process.stdout.write(text)
}

/** Writes what waits. */
function flush(): void {
  if (waiting === '') return
  process.off('exit', flush)
  process.stdout.write(waiting)
  waiting = ''
}

/** Writes after at most 50 ms, or when the program ends: a busy server would spend a tenth of its time on writing single lines. */
function writeSoon(text: string): void {
  if (waiting === '') {
    setTimeout(flush, gatherMs).unref()
    process.once('exit', flush)
  }
  waiting += text
}

/** Writes one line to standard output. */
export function writeLine(line: string): void {
  write(`${safeLine(line)}\n`)
}

/** Writes one line to standard error. */
export function writeErrorLine(line: string): void {
  process.stderr.write(`${safeLine(line)}\n`)
}

/** Writes a question to standard error. The answer follows on the same line. */
export function writePrompt(text: string): void {
  process.stderr.write(safeLine(text))
}

/** Writes a line of a log with the colours of a painter to standard output, soon. */
export function writeLogLine(line: string): void {
  writeSoon(`${safePainted(line)}\n`)
}

/** Writes an entry of a log as JSON to standard output, soon. */
export function writeLogJson(entry: object): void {
  writeSoon(`${safeJson(entry)}\n`)
}

/** Writes a text that may be the input of another program: unchanged to a file or pipe, filtered to a terminal. */
export function writeDocument(text: string): void {
  write(process.stdout.isTTY ? safeText(text) : text)
}

/** Replaces everything on the terminal by a text. */
export function writeFrame(text: string): void {
  // The cursor goes to the first line, and each line is cleared only behind its text, so that nothing flickers.
  const lines = safeText(text).split('\n').join('\x1b[K\n')
  write(`\x1b[H${lines}\x1b[J`)
}

/** Writes a value as JSON. */
export function writeJson(value: unknown, indent?: number): void {
  write(`${safeJson(value, indent)}\n`)
}
