/** One slash command, as it is listed. What it does is in `actions.ts`. */
export interface SlashCommand {
  name: string
  aliases?: readonly string[]
  synopsis?: string
  summary: string
}

export const slashCommands: readonly SlashCommand[] = [
  { name: 'help', aliases: ['?'], synopsis: '[COMMAND]', summary: 'This list' },
  { name: 'new', aliases: ['clear'], summary: 'A new chat' },
  { name: 'resume', synopsis: '[ID|WORDS]', summary: 'Go on with another chat' },
  { name: 'search', synopsis: 'WORDS', summary: 'Find messages in all chats' },
  { name: 'title', synopsis: '[TITLE]', summary: 'Show or change the title' },
  { name: 'model', synopsis: '[MODEL]', summary: 'Show or change the model' },
  { name: 'system', synopsis: '[TEXT|@FILE|off]', summary: 'Show or change the system prompt' },
  { name: 'set', synopsis: '[NAME VALUE]', summary: 'Show or change max_tokens, effort, cost' },
  { name: 'attach', synopsis: 'FILE|URL', summary: 'Send a file along with the next message' },
  { name: 'files', synopsis: '[clear]', summary: 'What goes along with the next message' },
  { name: 'edit', synopsis: '[N]', summary: 'Change your last message, or your Nth last' },
  {
    name: 'retry',
    synopsis: '[MODEL]',
    aliases: ['regenerate'],
    summary: 'Ask again for another version of the reply',
  },
  { name: 'continue', summary: 'Let a reply that was cut off go on' },
  { name: 'undo', synopsis: '[N]', summary: 'Take back the last exchange, or the last N' },
  { name: 'versions', summary: 'The versions of the last reply' },
  { name: 'prev', summary: 'The version before' },
  { name: 'next', summary: 'The version after' },
  { name: 'branches', synopsis: '[N]', summary: 'The branches of this chat; N switches' },
  { name: 'copy', synopsis: '[code [N]]', summary: 'Copy the last reply, or a code block of it' },
  { name: 'save', aliases: ['export'], synopsis: 'FILE.md|json|html', summary: 'Write the chat to a file' },
  { name: 'cost', aliases: ['usage'], summary: 'What the chat has used and cost' },
  { name: 'context', summary: 'How full the window is' },
  { name: 'inspect', summary: 'The last request and response' },
  { name: 'raw', summary: 'The last reply as it came' },
  { name: 'quit', aliases: ['exit', 'bye'], summary: 'Leave' },
]

/** A line that begins with a slash, read. */
export type SlashLine =
  | { kind: 'message'; text: string }
  | { kind: 'command'; command: SlashCommand; words: string[]; rest: string }
  | { kind: 'unknown'; name: string }

/** Tells commands from messages: `//text` says `/text`, and a slash with a space behind it, or a path, is no command. */
export function readLine(text: string): SlashLine {
  if (!text.startsWith('/')) return { kind: 'message', text }
  if (text.startsWith('//')) return { kind: 'message', text: text.slice(1) }
  const [, name = '', rest = ''] = /^\/(\S*)\s*([^]*)$/.exec(text) ?? []
  const command = findCommand(name)
  if (command === undefined) return { kind: 'unknown', name }
  return { kind: 'command', command, rest: rest.trim(), words: rest.split(/\s+/).filter((word) => word !== '') }
}

export function findCommand(name: string): SlashCommand | undefined {
  return slashCommands.find((command) => command.name === name || command.aliases?.includes(name) === true)
}

/** The sentence about a command that is none. */
export async function unknownCommand(name: string): Promise<string> {
  const { nearMiss } = await import('colloquy/protocol')
  const names = slashCommands.flatMap((command) => [command.name, ...(command.aliases ?? [])])
  const meant = nearMiss(name, names) ?? names.find((candidate) => name !== '' && candidate.startsWith(name))
  const hint = meant === undefined ? '/help lists them.' : `Did you mean /${meant}?`
  return `No command /${name}. ${hint} To send it as a message, write //${name}.`
}

/** The commands that a text which is being typed may become; none once it has a space. */
export function commandHints(text: string): SlashCommand[] {
  const typed = /^\/([a-z?]*)$/.exec(text)?.[1]
  if (typed === undefined) return []
  return slashCommands.filter(({ name, aliases = [] }) => [name, ...aliases].some((word) => word.startsWith(typed)))
}
