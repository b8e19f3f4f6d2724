import type * as manageChats from './manage-chats.ts'
import { withConfiguration } from '../../config/defaults.ts'
import { ask } from '../ask/command.ts'
import { type Command, helpOption, jsonOption, type Run, type Subcommand } from '../command.ts'
import { nearest, unknownSubcommand } from '../unknown-word.ts'
import {
  defaultsOptions,
  displayOptions,
  modelOptions,
  oneReplyOptions,
  savedChatOptions,
  toolOptions,
  turnOptions,
} from '../reply-options.ts'

/** Loads `manage-chats.ts` when one of its subcommands is called. */
function managed(name: keyof typeof manageChats): Run {
  return async (words, flags) => (await import('./manage-chats.ts'))[name](words, flags)
}

const chatSubcommands: readonly Subcommand[] = [
  {
    name: 'list',
    synopsis: '',
    summary: 'List the chats, newest first',
    flags: ['limit', 'json'],
    run: managed('list'),
  },
  {
    name: 'search',
    synopsis: 'WORDS',
    summary: 'Find messages with all the words',
    flags: ['limit', 'json'],
    run: managed('search'),
  },
  { name: 'show', synopsis: 'ID', summary: 'Print a chat', flags: ['json'], run: managed('show') },
  {
    name: 'export',
    synopsis: 'ID',
    summary: 'Print a chat as Markdown, JSON or HTML, or whole for an import',
    flags: ['format'],
    run: managed('exportOne'),
  },
  {
    name: 'import',
    synopsis: 'FILE|-',
    summary: 'Add chats from a file of Colloquy, ChatGPT, Claude.ai, Claude Code, …',
    flags: ['model', 'system', 'thinking', 'max-tokens', 'max-cost', 'engine', 'json'],
    run: managed('importFile'),
  },
  { name: 'rename', synopsis: 'ID TITLE', summary: 'Change the title of a chat', flags: [], run: managed('rename') },
  {
    name: 'check',
    synopsis: '[ID]',
    summary: 'Find damage in the saved chats, or in one',
    flags: ['json'],
    run: managed('check'),
  },
  { name: 'delete', synopsis: 'ID', summary: 'Delete a chat', flags: ['yes'], run: managed('remove') },
]

const names = chatSubcommands.map(({ name }) => name)

/** `colloquy chat`. */
export const chat: Command = {
  name: 'chat',
  summary: 'Chat; without a terminal, answer once',
  synopsis: '[PROMPT…]',
  subcommands: chatSubcommands,
  options: [
    ...modelOptions,
    ...toolOptions,
    ...defaultsOptions,
    ...savedChatOptions,
    {
      name: 'warn-cost',
      kind: 'amount',
      value: 'USD',
      about: 'Ask before a prompt is sent that costs more than this (default 0.5)',
    },
    { name: 'title', kind: 'text', value: 'TITLE', about: 'The title of a new chat' },
    { name: 'print', short: 'p', kind: 'flag', about: 'Answer once and exit, as `ask` does' },
    ...oneReplyOptions,
    ...turnOptions,
    ...displayOptions,
    {
      name: 'format',
      kind: 'choice',
      choices: ['md', 'json', 'jsonl', 'html'],
      about: 'With export: the format; jsonl has all branches and costs, for import (default md)',
    },
    { name: 'limit', kind: 'count', value: 'N', about: 'With list and search: the most lines (default 20)' },
    { name: 'yes', short: 'y', kind: 'flag', about: 'With delete: do not ask for confirmation' },
    jsonOption,
    helpOption,
  ],
  examples: [
    ['colloquy chat', 'start a new chat'],
    ['colloquy chat -c', 'continue the last chat'],
    ['colloquy chat -m claude-opus-5-5 -s "Answer in one line."', 'choose the model and the system prompt'],
  ],
  async run(words, flags) {
    const subcommand = chatSubcommands.find(({ name }) => name === words[0])
    if (subcommand !== undefined) return subcommand.run(words.slice(1), flags)
    // A single word like `lst` is a mistyped subcommand rather than a message, which would cost money.
    if (words.length === 1 && (await nearest(words[0]!, names)) !== undefined)
      throw await unknownSubcommand('chat', words[0]!, chatSubcommands)
    const isOneReply = ['print', 'output', 'json-schema'].some((name) => flags.has(name))
    if (isOneReply || !process.stdin.isTTY || !process.stdout.isTTY) return ask.run(words, flags)
    return (await import('./chat.ts')).chat(words, await withConfiguration(flags))
  },
}
