import { widthOf } from '../terminal/width.ts'
import { wrap } from '../terminal/wrap.ts'
import type { Command, Option, Subcommand } from './command.ts'

/** The text of `colloquy --help`, for a terminal of a width. Default: lines of any length. */
export function programHelp(commands: readonly Command[], width: number = Infinity): string {
  return [
    'Talk to Claude, to a model on this machine, or to any Messages API or Chat Completions server.',
    '',
    'colloquy COMMAND [FLAGS]',
    '',
    ...columns(
      commands.map(({ name, summary }) => [name, summary]),
      width,
    ),
    '',
    ...columns(
      [
        ['-h, --help', 'Show this help, or that of a command'],
        ['-V, --version', 'Show the version'],
      ],
      width,
    ),
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

/** The text of `colloquy COMMAND --help`, for a terminal of a width. Default: lines of any length. */
export function commandHelp(command: Command, width: number = Infinity): string {
  const { name, summary, synopsis, subcommands = [], options, examples } = command
  const subcommandRows = subcommands.map((sub) => [`${sub.name} ${sub.synopsis}`.trimEnd(), sub.summary] as const)
  return [
    `${summary}.`,
    '',
    `colloquy ${name} [FLAGS] ${synopsis}`.trimEnd(),
    '',
    ...(subcommandRows.length === 0 ? [] : [`colloquy ${name} SUBCOMMAND`, '', ...columns(subcommandRows, width), '']),
    ...columns(
      options.map((option) => [flagText(option), option.about]),
      width,
    ),
    '',
    ...examplesOf(examples),
    '',
  ].join('\n')
}

/** The text of `colloquy COMMAND SUBCOMMAND --help`. */
export function subcommandHelp(command: Command, subcommand: Subcommand, width: number = Infinity): string {
  const { name, summary, synopsis, flags } = subcommand
  const taken = command.options.filter((option) => option.name === 'help' || flags.includes(option.name))
  const line = `colloquy ${command.name} ${name}${flags.length > 0 ? ' [FLAGS]' : ''} ${synopsis}`.trimEnd()
  // "With create: " in the help of the whole command names the subcommands of a flag.
  const rows = taken.map(
    (option) => [flagText(option), capitalized(option.about.replace(/^With [^:]+: /, ''))] as const,
  )
  return [`${summary}.`, '', line, '', ...columns(rows, width), ''].join('\n')
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

function flagText({ name, short, kind, value, choices }: Option): string {
  const shown = value ?? (choices === undefined ? '' : choices.join('|'))
  const taken = shown === '' ? '' : kind === 'maybe' ? ` [${shown}]` : kind === 'attached' ? `[=${shown}]` : ` ${shown}`
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${taken}`
}

/** Rows of a name and its meaning, which is wrapped beside the name; in a narrow window below it. */
function columns(rows: readonly (readonly [string, string])[], width: number): string[] {
  const nameWidth = Math.min(34, Math.max(...rows.map(([name]) => widthOf(name))))
  const isNarrow = width - nameWidth < 35
  const indent = isNarrow ? 10 : nameWidth + 4
  return rows.flatMap(([name, about]) => {
    const isBelow = isNarrow || (width < Infinity && widthOf(name) > nameWidth)
    const [first = '', ...others] = wrapped(about, width - indent - 1)
    const head = isBelow ? [`  ${name}`, ' '.repeat(indent) + first] : [`  ${name.padEnd(nameWidth)}  ${first}`]
    return [...head, ...others.map((line) => ' '.repeat(indent) + line)]
  })
}

function wrapped(text: string, width: number): string[] {
  return wrap([{ text, style: {} }], width).map((spans) => spans.map((span) => span.text).join(''))
}

function examplesOf(rows: readonly (readonly [string, string])[]): string[] {
  return ['Examples:', ...rows.flatMap(([line, about]) => [`  ${line}`, `      ${about}`])]
}
