import type { Command, Option } from '../../packages/cli/src/commands/command.ts'
import { commands } from '../../packages/cli/src/commands/table.ts'
import { ExitCode } from '../../packages/cli/src/exit.ts'
import { code, sentence, table, writtenBy } from './markdown.ts'

const meanings: Record<keyof typeof ExitCode, string> = {
  ok: 'The command did what it was asked',
  failed: 'The API or the program itself failed',
  usage: 'The command line or a setting is wrong',
  key: 'The API key is missing or was not accepted',
  busy: 'Rate-limited or overloaded, after all retries',
  network: 'The server could not be reached',
  rejected: 'The API rejected the request, or it does not fit into the window',
  budget: '`--max-cost` was reached',
  incomplete: 'The reply was cut off or refused, with `--strict` or `--json-schema`',
  hangup: 'The terminal was closed',
  interrupted: 'Interrupted by Ctrl-C',
  terminated: 'Ended by a signal',
}

/** The page of all commands, from the table that `--help` shows. */
export function commandsPage(): string {
  const exits = Object.entries(ExitCode) as [keyof typeof ExitCode, number][]
  return [
    writtenBy('packages/cli/src/commands'),
    '# Commands\n',
    '`colloquy COMMAND --help` shows the same in the terminal. Without a command: `colloquy chat`. In this repository,',
    '`npm start --` stands for `colloquy`. The pages about',
    '[the chat](chat.md), [the server](server.md), [keys](keys.md) and [usage](usage.md) show how to use them.\n',
    table(
      ['command', ''],
      commands.map(({ name, summary }) => [`[\`${name}\`](#colloquy-${name})`, summary]),
    ),
    '',
    ...commands.flatMap(sectionOf),
    '## Exit codes\n',
    table(
      ['code', ''],
      exits.map(([name, number]) => [String(number), meanings[name]]),
    ),
    '',
  ].join('\n')
}

function sectionOf({ name, summary, synopsis, subcommands = [], options, examples }: Command): string[] {
  const flags = options.filter((each) => each.name !== 'help')
  const rows = subcommands.map((each) => [code(`${name} ${each.name} ${each.synopsis}`.trim()), each.summary])
  return [
    `## colloquy ${name}\n`,
    `${sentence(summary)}\n`,
    `\`\`\`text\ncolloquy ${`${name} [FLAGS] ${synopsis}`.trim()}\n\`\`\`\n`,
    ...(rows.length > 0 ? [`${table(['subcommand', ''], rows)}\n`] : []),
    ...(flags.length > 0 ? [`${table(['flag', ''], flags.map(flagRow))}\n`] : []),
    `\`\`\`sh\n${examples.map(([line, about]) => `${line.padEnd(44)} # ${about}`).join('\n')}\n\`\`\`\n`,
  ]
}

function flagRow({ name, short, kind, value, choices, about }: Option): string[] {
  const taken = value ?? choices?.join('|') ?? ''
  const shown = taken === '' ? '' : kind === 'maybe' ? ` [${taken}]` : kind === 'attached' ? `[=${taken}]` : ` ${taken}`
  return [`${short ? `\`-${short}\`, ` : ''}\`--${name}${shown}\``, about]
}
