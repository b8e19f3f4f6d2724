import { safeJson, safeLine, safePainted, safeText } from './safe-text.ts'

/*
 * Every write of the program to standard output and standard error is in this file, except those of `Screen` and `Terminal`,
 * which filter in the same way.
 */

/** Writes one line to standard output. */
export function writeLine(line: string): void {
  process.stdout.write(`${safeLine(line)}\n`)
}

/** Writes one line to standard error. */
export function writeErrorLine(line: string): void {
  process.stderr.write(`${safeLine(line)}\n`)
}

/** Writes a line with the colours of a painter to standard output. */
export function writePaintedLine(line: string): void {
  process.stdout.write(`${safePainted(line)}\n`)
}

/** Writes a text that may be the input of another program: unchanged to a file or pipe, filtered to a terminal. */
export function writeDocument(text: string): void {
  process.stdout.write(process.stdout.isTTY ? safeText(text) : text)
}

/** Writes a value as JSON. */
export function writeJson(value: unknown, indent?: number): void {
  process.stdout.write(`${safeJson(value, indent)}\n`)
}
