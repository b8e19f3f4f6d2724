import { unknownSubcommand } from '../unknown-word.ts'
import { type Command, helpOption, jsonOption, type Run, type Subcommand } from '../command.ts'
import type * as subcommandModule from './config.ts'

/** Loads `config.ts` when a subcommand is called. */
function configured(name: keyof typeof subcommandModule): Run {
  return async (words, flags) => (await import('./config.ts'))[name](words, flags)
}

const subcommands: readonly Subcommand[] = [
  {
    name: 'list',
    synopsis: '',
    summary: 'List the settings in force',
    flags: ['origin', 'profile', 'json'],
    run: configured('list'),
  },
  { name: 'get', synopsis: 'NAME', summary: 'Print a setting', flags: ['profile'], run: configured('get') },
  {
    name: 'set',
    synopsis: 'NAME VALUE',
    summary: 'Change a setting in your file',
    flags: ['profile'],
    run: configured('set'),
  },
  {
    name: 'unset',
    synopsis: 'NAME',
    summary: 'Remove a setting from your file',
    flags: ['profile'],
    run: configured('unset'),
  },
]

export const config: Command = {
  name: 'config',
  summary: 'Show or change the defaults of chats',
  synopsis: '[list]',
  subcommands,
  options: [
    { name: 'origin', kind: 'flag', about: 'With list: show where each value comes from' },
    { name: 'profile', kind: 'text', value: 'NAME', about: 'Show or change a profile' },
    jsonOption,
    helpOption,
  ],
  examples: [
    ['colloquy config list --origin', 'flag, environment, project, profile, your file, default'],
    ['colloquy config set model claude-opus-5-5', 'the model of new chats'],
    ['colloquy config set --profile cheap model claude-haiku-4-5', 'then: colloquy chat --profile cheap'],
  ],
  async run([name = 'list', ...words], flags) {
    const subcommand = subcommands.find((each) => each.name === name)
    if (subcommand !== undefined) return subcommand.run(words, flags)
    throw await unknownSubcommand('config', name, subcommands)
  },
}
