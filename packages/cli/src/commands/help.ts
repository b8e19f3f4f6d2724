import type { Command, Option } from '../command.ts'
import { commands } from './commands.ts'
import { widthOf } from '../terminal/width.ts'

/** `colloquy --help`. */
export function programHelp(): string {
  return [
    'Talk to Claude, to any Messages API server, or to the offline engine.',
    '',
    'colloquy COMMAND [FLAGS]',
    '',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    ...columns([
      ['-h, --help', 'Show this help, or that of a command'],
      ['-V, --version', 'Show the version'],
    ]),
    '',
    'Without a command: chat.',
    '',
    ...examples([
      ['colloquy', 'a new chat'],
      ['echo "What is 6 × 7?" | colloquy', 'one answer'],
      ['colloquy serve', 'a Messages API server for tests'],
    ]),
    '',
  ].join('\n')
}

/** `colloquy COMMAND --help`. */
export function commandHelp({ name, summary, synopsis, subcommands = [], options, examples: shown }: Command): string {
  return [
    `${summary}.`,
    '',
    `colloquy ${name} [FLAGS] ${synopsis}`.trimEnd(),
    ...subcommands.map((sub) => `colloquy ${name} ${sub.name} ${sub.synopsis}`.trimEnd()),
    '',
    ...columns(options.map((option) => [flagText(option), aboutText(option)])),
    '',
    ...examples(shown),
    '',
  ].join('\n')
}

function flagText({ name, short, kind, value, choices }: Option): string {
  const shown = value ?? (choices === undefined ? '' : choices.join('|'))
  const taken = shown === '' ? '' : kind === 'maybe' ? ` [${shown}]` : ` ${shown}`
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${taken}`
}

function aboutText({ about }: Option): string {
  return about
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => widthOf(left))))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

function examples(rows: readonly (readonly [string, string])[]): string[] {
  return ['Examples:', ...rows.flatMap(([line, about]) => [`  ${line}`, `      ${about}`])]
}
