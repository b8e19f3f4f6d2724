import { type Command, databaseOption, helpOption, jsonOption, type Run, type Subcommand } from '../command.ts'
import type * as actions from './keys.ts'
import { unknownSubcommand } from '../unknown-word.ts'

/** Loads `keys.ts` when one of its subcommands is called. */
function ofKeys(name: keyof typeof actions): Run {
  return async (words, flags) => (await import('./keys.ts'))[name](words, flags)
}

function ofProviderKeys(name: 'set' | 'setDefault' | 'test'): Run {
  return async (words, flags) => (await import('./provider-keys.ts'))[name](words, flags)
}

const subcommands: readonly Subcommand[] = [
  {
    name: 'create',
    synopsis: 'NAME',
    summary: 'Make a key of the server, and print its secret once',
    flags: [
      'expires',
      'budget',
      'models',
      'rpm',
      'input-tpm',
      'output-tpm',
      'concurrent',
      'workspace',
      'admin',
      'database',
      'json',
    ],
    run: ofKeys('create'),
  },
  {
    name: 'list',
    synopsis: '',
    summary: 'List all keys, with budgets and last use',
    flags: ['workspace', 'database', 'json'],
    run: ofKeys('list'),
  },
  {
    name: 'rotate',
    synopsis: 'NAME',
    summary: 'Replace the secret of a key',
    flags: ['grace', 'database', 'json'],
    run: ofKeys('rotate'),
  },
  {
    name: 'revoke',
    synopsis: 'NAME',
    summary: 'End a key, and keep its name for usage',
    flags: ['yes', 'database'],
    run: ofKeys('revoke'),
  },
  { name: 'remove', synopsis: 'NAME', summary: 'Erase a key', flags: ['yes', 'database'], run: ofKeys('remove') },
  {
    name: 'set',
    synopsis: 'NAME',
    summary: 'Keep a key of yours for Claude, or openai',
    flags: [],
    run: ofProviderKeys('set'),
  },
  {
    name: 'default',
    synopsis: 'NAME',
    summary: 'Choose the key for Claude',
    flags: [],
    run: ofProviderKeys('setDefault'),
  },
  {
    name: 'test',
    synopsis: '[NAME]',
    summary: 'Show the models and limits of a key',
    flags: ['json'],
    run: ofProviderKeys('test'),
  },
]

/** `colloquy keys`. */
export const keys: Command = {
  name: 'keys',
  summary: 'Keep your keys for Claude; make and end those of the server',
  synopsis: '[list]',
  subcommands,
  options: [
    { name: 'expires', kind: 'text', value: 'TIME', about: 'With create: 30d, 12h or a day such as 2027-01-31' },
    {
      name: 'budget',
      kind: 'texts',
      value: 'USD[/day|/month][/user]',
      about: 'With create: the most to spend; can be given several times',
    },
    { name: 'models', kind: 'texts', value: 'A,B', about: 'With create: the models allowed, such as claude-haiku-*' },
    {
      name: 'rpm',
      kind: 'count',
      value: 'N',
      about: 'With create: the most requests a minute, for each class of models',
    },
    {
      name: 'input-tpm',
      kind: 'count',
      value: 'N',
      about: 'With create: the most input tokens a minute; cache reads are free',
    },
    { name: 'output-tpm', kind: 'count', value: 'N', about: 'With create: the most output tokens a minute' },
    { name: 'concurrent', kind: 'count', value: 'N', about: 'With create: the most requests at the same time' },
    { name: 'workspace', kind: 'text', value: 'NAME', about: 'With create and list: the workspace (default default)' },
    { name: 'admin', kind: 'flag', about: 'With create: the key may use the admin API' },
    {
      name: 'grace',
      kind: 'text',
      value: 'TIME',
      about: 'With rotate: accept the earlier secret for this long, such as 1h',
    },
    { name: 'yes', short: 'y', kind: 'flag', about: 'With revoke and remove: do not ask for confirmation' },
    databaseOption,
    jsonOption,
    helpOption,
  ],
  examples: [
    ['colloquy keys set anthropic', 'keep your key for Claude; it is typed, not shown'],
    ['colloquy keys test', 'its models and rate limits'],
    ['colloquy keys create ada --budget 5/day --rpm 60', 'a key for Ada'],
    ['colloquy keys rotate ada --grace 1h', 'a new secret; the earlier one ends in an hour'],
    ['colloquy keys list', 'all keys, with what they have spent'],
  ],
  async run(words, flags) {
    const [first = 'list'] = words
    const subcommand = subcommands.find(({ name }) => name === first)
    if (subcommand !== undefined) return subcommand.run(words.slice(1), flags)
    throw await unknownSubcommand('keys', first, subcommands)
  },
}
