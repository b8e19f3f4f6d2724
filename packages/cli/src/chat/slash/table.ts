import { UsageError } from '../../exit.ts'
import { say, change, type Effect } from '../chat-state.ts'
import { attachFile, files } from './attachments.ts'
import type { SlashCommand, SlashInput } from './command.ts'
import { set, system, theme } from './configure.ts'
import { copyReply, save } from './copy-and-save.ts'
import { newChat, resume, search, title } from './find.ts'
import { context, cost, inspect, raw, tools } from './inspect.ts'
import { mcp } from './mcp.ts'
import { continueReply, edit, retry, undo } from './turns.ts'
import { branches, fork, stepVersion, versions } from './branches/versions.ts'

/** The slash commands in the order of `/help`. */
export const slashCommands: readonly SlashCommand[] = [
  { name: 'help', aliases: ['?'], synopsis: '[COMMAND]', summary: 'Show this list', run: help },
  { name: 'new', aliases: ['clear'], summary: 'Start a new chat', run: newChat },
  { name: 'resume', synopsis: '[ID|WORDS]', summary: 'Continue another chat', run: resume },
  { name: 'search', synopsis: 'WORDS', summary: 'Find messages in all chats', run: search },
  { name: 'title', synopsis: '[TITLE]', summary: 'Show or change the title', run: title },
  { name: 'model', synopsis: '[N|NAME]', summary: 'List the models that can reply, or switch to one', run: model },
  { name: 'system', synopsis: '[TEXT|@FILE|off]', summary: 'Show or change the system prompt', run: system },
  { name: 'set', synopsis: '[NAME VALUE]', summary: 'Show or change max_tokens, effort, cost or keys', run: set },
  { name: 'attach', synopsis: 'FILE|URL', summary: 'Send a file with the next message', run: attachFile },
  { name: 'files', synopsis: '[clear]', summary: 'Show the files to send with the next message', run: files },
  { name: 'edit', synopsis: '[N]', summary: 'Change your last message, or your Nth last', run: edit },
  {
    name: 'retry',
    aliases: ['regenerate'],
    synopsis: '[MODEL]',
    summary: 'Request another version of the reply',
    run: retry,
  },
  { name: 'continue', summary: 'Continue a reply that was cut off', run: continueReply },
  { name: 'undo', synopsis: '[N]', summary: 'Take back the last turn, or the last N turns', run: undo },
  { name: 'versions', summary: 'List the versions of the last reply', run: versions },
  { name: 'prev', summary: 'Switch to the previous version', run: (input) => stepVersion(input, -1) },
  { name: 'next', summary: 'Switch to the next version', run: (input) => stepVersion(input, 1) },
  {
    name: 'branches',
    aliases: ['tree'],
    synopsis: '[N]',
    summary: 'Show the tree of this chat, or switch to branch N',
    run: branches,
  },
  { name: 'fork', synopsis: '[N]', summary: 'Continue in a copy, without the last N turns', run: fork },
  {
    name: 'copy',
    synopsis: '[code [N|LANGUAGE]]',
    summary: 'Copy the last reply, or a code block of it',
    run: copyReply,
  },
  {
    name: 'save',
    aliases: ['export'],
    synopsis: 'FILE',
    summary: 'Write the chat as .md, .html, .json or .jsonl',
    run: save,
  },
  { name: 'cost', aliases: ['usage'], summary: 'Show the tokens and the cost of the chat', run: cost },
  { name: 'context', summary: 'Show how full the window is', run: context },
  { name: 'tools', summary: 'List the tools that the model may call', run: tools },
  { name: 'mcp', synopsis: '[ACTION] [NAME]', summary: 'Show MCP servers; restart, login or logout', run: mcp },
  { name: 'inspect', summary: 'Show the last request and response', run: inspect },
  { name: 'raw', summary: 'Show the last reply without rendering', run: raw },
  { name: 'theme', synopsis: '[NAME]', summary: 'Show or change the colours', run: theme },
  { name: 'quit', aliases: ['exit', 'bye'], summary: 'Leave', run: () => [change({ shouldExit: true })] },
]

/** Loaded on demand: it looks for models, which the other commands do not need. */
async function model(input: SlashInput): Promise<readonly Effect[]> {
  return (await import('./switch-model.ts')).model(input)
}

export function findCommand(name: string): SlashCommand | undefined {
  return slashCommands.find((command) => command.name === name || command.aliases?.includes(name) === true)
}

/** The commands that the text may become while it is typed. None once it has a space. */
export function commandsLike(text: string): SlashCommand[] {
  const typed = /^\/([a-z?]*)$/.exec(text)?.[1]
  if (typed === undefined) return []
  return slashCommands.filter(({ name, aliases = [] }) => [name, ...aliases].some((word) => word.startsWith(typed)))
}

/** The message for an unknown command, if possible with the name that was probably meant. */
export async function unknownCommand(name: string): Promise<string> {
  const { nearMiss } = await import('colloquy/protocol')
  const names = slashCommands.flatMap((command) => [command.name, ...(command.aliases ?? [])])
  const meant = nearMiss(name, names) ?? names.find((candidate) => name !== '' && candidate.startsWith(name))
  const hint = meant === undefined ? '/help lists them.' : `Did you mean /${meant}?`
  return `No command /${name}. ${hint} To send it as a message, write //${name}.`
}

function help({ words: [name], columns = 80 }: SlashInput): Effect[] {
  const command = name === undefined ? undefined : findCommand(name.replace(/^\//, ''))
  if (name !== undefined && command === undefined) throw new UsageError(`No command ${name}. /help lists them.`)
  const shown = command === undefined ? slashCommands : [command]
  const rows = shown.map(({ name: own, synopsis = '', summary }) => [`/${own} ${synopsis}`.trimEnd(), summary] as const)
  const width = Math.max(...rows.map(([left]) => left.length))
  const table = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
  const isWide = table.every((line) => line.length < columns)
  const lines = isWide ? table : rows.flatMap(([left, right]) => [`  ${left}`, `      ${right}`])
  if (command !== undefined) return [say(...lines)]
  return [say(...lines, '', '  @file attaches a file · //text sends a slash · ? on an empty line shows the keys')]
}
