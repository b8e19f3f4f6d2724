import { UsageError } from '../exit.ts'

/** A setting of the configuration. Most have the name of the flag whose default they are. */
export interface Setting {
  name: string
  kind: 'text' | 'count' | 'amount' | 'choice'
  choices?: readonly string[]
  /** The environment variables that come before the files, the first before the second. */
  variables?: readonly string[]
  /** The value if no layer has one. */
  otherwise?: string
  /** A project's file may not set it: the folder of a stranger must not choose where messages and keys are sent, or what runs. */
  isPersonal?: true
  about: string
}

export const settings: readonly Setting[] = [
  { name: 'model', kind: 'text', variables: ['COLLOQUY_MODEL', 'ANTHROPIC_MODEL'], about: 'the model of a new chat' },
  {
    name: 'system',
    kind: 'text',
    about: 'the system prompt of a new chat; @FILE reads a file, from the folder of the settings',
  },
  {
    name: 'thinking',
    kind: 'choice',
    choices: ['off', 'low', 'medium', 'high', 'xhigh', 'max'],
    about: 'how hard the model of a new chat thinks',
  },
  { name: 'max-tokens', kind: 'count', about: 'the longest reply, in tokens' },
  { name: 'engine', kind: 'text', variables: ['COLLOQUY_ENGINE'], isPersonal: true, about: 'the engine that replies' },
  { name: 'mcp', kind: 'text', isPersonal: true, about: 'the file of the MCP servers whose tools the model may call' },
  { name: 'timeout', kind: 'amount', otherwise: '600', about: 'the longest time for a reply, in seconds' },
  { name: 'retries', kind: 'count', otherwise: '2', about: 'how often to retry after a passing failure' },
  { name: 'max-cost', kind: 'amount', about: 'the most that a chat may cost, in US dollars' },
  {
    name: 'warn-cost',
    kind: 'amount',
    otherwise: '0.5',
    about: 'the cost of a prompt above which the chat asks before it is sent, in US dollars',
  },
  {
    name: 'color',
    kind: 'choice',
    choices: ['auto', 'always', 'never'],
    otherwise: 'auto',
    about: 'when to use colours',
  },
  {
    name: 'theme',
    kind: 'choice',
    choices: ['default', 'light', 'contrast', 'mono'],
    otherwise: 'default',
    about: 'the colours',
  },
  { name: 'wrap', kind: 'choice', choices: ['word', 'soft', 'off'], otherwise: 'word', about: 'how to wrap prose' },
  {
    name: 'cost',
    kind: 'choice',
    choices: ['off', 'short', 'full'],
    otherwise: 'full',
    about: 'the line below a reply',
  },
  { name: 'keys', kind: 'choice', choices: ['emacs', 'vi'], otherwise: 'emacs', about: 'the keys of the editor' },
  { name: 'profile', kind: 'text', variables: ['COLLOQUY_PROFILE'], isPersonal: true, about: 'the profile to use' },
]

/** A setting by its name. Throws a `UsageError` that names the nearest one. */
export async function settingOf(name: string, place = ''): Promise<Setting> {
  const found = settings.find((setting) => setting.name === name)
  if (found !== undefined) return found
  const { nearMiss } = await import('colloquy/protocol')
  const names = settings.map((setting) => setting.name)
  const meant = nearMiss(name, names)
  const hint = meant === undefined ? `The settings are ${names.join(', ')}.` : `Did you mean ${meant}?`
  throw new UsageError(`No setting ${name}${place}. ${hint}`)
}

/** Throws a `UsageError` if the setting cannot have the value. */
export function checkSetting({ name, kind, choices }: Setting, value: string, place = ''): void {
  const expected =
    choices !== undefined && !choices.includes(value)
      ? `one of ${choices.join(', ')}`
      : kind === 'count' && !/^\d{1,9}$/.test(value)
        ? 'a whole number'
        : kind === 'amount' && !(/^\d{0,9}\.?\d{0,9}$/.test(value) && Number(value) > 0)
          ? 'a number above 0'
          : // An empty system prompt takes the place of another one.
            value.trim() === '' && name !== 'system'
            ? 'a text that is not empty'
            : undefined
  if (expected !== undefined) throw new UsageError(`Cannot use ${name} ${value}${place}: it must be ${expected}`)
}
