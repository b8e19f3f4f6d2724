import { type Command, type Option, subcommandOf } from '../command.ts'

/** The most chats whose ids are offered. */
const maxChats = 50

/**
 * The candidates for the last word of a command line: commands, subcommands, flags, and the values of flags and subcommands.
 * None if files should be completed.
 */
export async function completeWords(words: readonly string[], commands: readonly Command[]): Promise<string[]> {
  const before = words.slice(0, -1)
  const word = words.at(-1) ?? ''
  const named = commands.find(({ name }) => name === before[0])
  const command = named ?? commands.find(({ name }) => name === 'chat')!
  const found = await candidatesFor(command, named === undefined ? before : before.slice(1), word)
  const isFirst = before.length === 0 && !word.startsWith('-')
  const all = isFirst ? commands.map(({ name }) => name) : found
  return all.filter((candidate) => candidate.startsWith(word))
}

async function candidatesFor(command: Command, before: readonly string[], word: string): Promise<readonly string[]> {
  const { options, subcommands = [] } = command
  const [, flag] = /^(--[\w-]+)=/.exec(word) ?? []
  const option = optionOf(options, flag ?? before.at(-1) ?? '')
  if (option !== undefined && option.kind !== 'flag' && (option.kind !== 'attached' || flag !== undefined)) {
    const values = await valuesOf(option.name, option.choices)
    return flag === undefined ? values : values.map((value) => `${flag}=${value}`)
  }
  const given = before.filter((each) => !each.startsWith('-'))
  if (word.startsWith('-')) {
    const taken = subcommandOf(command, given)?.flags
    const offered =
      taken === undefined ? options : options.filter(({ name }) => name === 'help' || taken.includes(name))
    return offered.map(({ name }) => `--${name}`)
  }
  if (given.length === 0) return [...subcommands.map(({ name }) => name), ...(await valuesOf(command.name))]
  return valuesOf(`${command.name} ${given[0]}`)
}

function optionOf(options: readonly Option[], word: string): Option | undefined {
  return options.find(({ name, short }) => word === `--${name}` || (short !== undefined && word === `-${short}`))
}

/** The values of a flag, or the words after a command or subcommand. */
async function valuesOf(place: string, choices?: readonly string[]): Promise<readonly string[]> {
  switch (place) {
    case 'model':
      return modelNames()
    case 'template':
    case 'templates':
      return (await import('../../config/template.ts')).templateNames()
    case 'profile':
      return (await import('../../config/configuration.ts')).profileNames()
    case 'engine':
      return ['api', 'local', 'offline']
    case 'config get':
    case 'config set':
    case 'config unset':
      return (await import('../../config/settings.ts')).settings.map(({ name }) => name)
    case 'models get':
      return (await import('@colloquy/llama')).listedModels.map(({ name }) => name)
    case 'models use':
    case 'models remove':
      return (await localCandidates()).map(({ name }) => name)
    case 'completion':
      return (await import('./scripts.ts')).scripts.keys().toArray()
    case 'resume':
    case 'chat show':
    case 'chat export':
    case 'chat rename':
    case 'chat delete':
    case 'chat check':
      return chatIds()
    default:
      return choices ?? []
  }
}

async function modelNames(): Promise<string[]> {
  const { models } = await import('colloquy/protocol')
  const ids = models.map(({ id }) => id)
  return [...ids, ...(await localCandidates()).map(({ name }) => name)]
}

async function localCandidates(): Promise<readonly { name: string }[]> {
  return (await import('../../engine/candidates.ts')).findCandidates()
}

async function chatIds(): Promise<string[]> {
  const [{ openSavedChats, shortId }, { existsSync }, { filePaths }] = await Promise.all([
    import('../../chat/stored-chats.ts'),
    import('node:fs'),
    import('../../file-paths.ts'),
  ])
  if (!existsSync(filePaths().chats)) return []
  const chats = await openSavedChats()
  try {
    return (await chats.list({ limit: maxChats })).map(({ id }) => shortId(id))
  } finally {
    await chats.close()
  }
}
