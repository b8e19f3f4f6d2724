import type { ConversationSettings } from 'colloquy/conversation'
import { settings as configurable } from '../../config/settings.ts'
import { UsageError } from '../../exit.ts'
import { change, currentSettings, say, type Effect } from '../chat-state.ts'
import { systemText } from '../settings/settings.ts'
import { isThinkingLevel, thinkingForModel, thinkingLevelOf, thinkingSettings } from '../settings/thinking.ts'
import type { SlashInput } from './command.ts'

export async function system(input: SlashInput): Promise<Effect[]> {
  const { state, rest } = input
  if (rest === '') return [say(...systemLines(currentSettings(state)))]
  if (rest !== 'off') {
    return [
      await configure(input, { system: systemText(rest) }),
      say('The system prompt holds from the next message on.'),
    ]
  }
  await state.conversation?.configure({ system: undefined })
  const { system: _removed, ...settings } = state.settings
  return [change({ settings }), say('The next messages are sent without a system prompt.')]
}

export async function set(input: SlashInput): Promise<Effect[]> {
  const [name, value] = input.words
  if (name === undefined || value === undefined) return [say(settingsLine(input))]
  const done = say(`${name} ${value}`)
  if (name === 'cost' && (value === 'off' || value === 'short' || value === 'full')) {
    return [change({ costStyle: value }), done]
  }
  if (name === 'keys' && (value === 'emacs' || value === 'vi')) return keys(value)
  if (name === 'max_tokens' && /^[1-9]\d{0,8}$/.test(value)) {
    const changes = { ...currentSettings(input.state), max_tokens: Number(value) }
    const thinking = thinkingForModel(changes, changes.model)
    return [await configure(input, { max_tokens: Number(value), ...thinking }), done]
  }
  if (name === 'effort' && isThinkingLevel(value)) {
    return [await configure(input, thinkingSettings(value, currentSettings(input.state))), done]
  }
  throw new UsageError(
    `Cannot set ${name} to ${value}: the settings are max_tokens (a number), effort (off, low … max), cost (off, short, full) and keys (emacs, vi)`,
  )
}

/** `/theme`: shows the themes, or changes the colours of this chat and of later ones. */
export async function theme({ words: [name] }: SlashInput): Promise<Effect[]> {
  const names = configurable.find((setting) => setting.name === 'theme')!.choices!
  if (name === undefined) return [say(`${names.join(' · ')} · /theme NAME changes the colours, also of later chats`)]
  if (!names.includes(name)) throw new UsageError(`Cannot use the theme ${name}: it must be one of ${names.join(', ')}`)
  return [{ kind: 'look', look: { theme: name as 'default' } }, ...(await remembered('theme', name))]
}

/** `/set keys`: changes the keys of the editor, also of later chats. */
async function keys(value: string): Promise<Effect[]> {
  return [{ kind: 'look', look: { keys: value as 'vi' } }, ...(await remembered('keys', value))]
}

async function remembered(name: string, value: string): Promise<Effect[]> {
  const { writeSetting } = await import('../../config/write-setting.ts')
  try {
    await writeSetting([name], value)
    return [say(`${name} ${value}`)]
  } catch (error) {
    return [say(`${name} ${value}, for this chat: ${(error as Error).message}`)]
  }
}

/** Changes the open conversation, and the settings of new chats. */
export async function configure({ state }: SlashInput, changes: Partial<ConversationSettings>): Promise<Effect> {
  await state.conversation?.configure(changes)
  return change({ settings: { ...state.settings, ...changes } })
}

function settingsLine({ state }: SlashInput): string {
  const settings = currentSettings(state)
  const effort = thinkingLevelOf(settings) ?? 'the model’s default'
  return `max_tokens ${settings.max_tokens} · effort ${effort} · cost ${state.costStyle}`
}

function systemLines({ system: current }: ConversationSettings): string[] {
  const text = typeof current === 'string' ? current : (current ?? []).map((block) => block.text).join('\n')
  return text === '' ? ['This chat has no system prompt.'] : text.split('\n')
}
