import { widthOf } from '../terminal/width.ts'
import type { Command, Option } from './command.ts'

/** The text of `colloquy --help`. */
export function programHelp(commands: readonly Command[]): string {
  return [
    'Talk to Claude, to a model on this machine, or to any Messages API or Chat Completions server.',
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
    ...examplesOf([
      ['colloquy', 'start a new chat'],
      ['echo "What is 6 × 7?" | colloquy', 'answer once'],
      ['colloquy serve', 'run a Messages API server for tests'],
    ]),
    '',
  ].join('\n')
}

/** The text of `colloquy COMMAND --help`. */
export function commandHelp({ name, summary, synopsis, subcommands = [], options, examples }: Command): string {
  const subcommandRows = subcommands.map((sub) => [`${sub.name} ${sub.synopsis}`.trimEnd(), sub.summary] as const)
  return [
    `${summary}.`,
    '',
    `colloquy ${name} [FLAGS] ${synopsis}`.trimEnd(),
    '',
    ...(subcommandRows.length === 0 ? [] : [`colloquy ${name} SUBCOMMAND`, '', ...columns(subcommandRows), '']),
    ...columns(options.map((option) => [flagText(option), option.about])),
    '',
    ...examplesOf(examples),
    '',
  ].join('\n')
}

function flagText({ name, short, kind, value, choices }: Option): string {
  const shown = value ?? (choices === undefined ? '' : choices.join('|'))
  const taken = shown === '' ? '' : kind === 'maybe' ? ` [${shown}]` : kind === 'attached' ? `[=${shown}]` : ` ${shown}`
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${taken}`
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => widthOf(left))))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

function examplesOf(rows: readonly (readonly [string, string])[]): string[] {
  return ['Examples:', ...rows.flatMap(([line, about]) => [`  ${line}`, `      ${about}`])]
}
