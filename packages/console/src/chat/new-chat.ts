import { type ReadonlySignal, type Signal, computed } from '@preact/signals'
import type { CreateBody } from '../api/types.ts'
import { stored } from '../shell/storage.ts'
import { models } from './models.ts'

type Settings = NonNullable<CreateBody['settings']>

/** The settings of new chats, where they differ from the server's. */
export const newChatSettings: Signal<Settings> = stored('newChat', {})

/**
 * The model of new chats: the chosen one, the server's default, or the first. Undefined until the models are loaded. One that
 * is gone is not used.
 */
export const newChatModel: ReadonlySignal<string | undefined> = computed(() => {
  const { data = [], defaults } = models.value ?? {}
  const { model } = newChatSettings.value
  return data.some(({ id }) => id === model) ? model : (defaults?.model ?? data[0]?.id)
})

/** Changes settings of new chats. Undefined removes one. */
export function changeNewChats(change: { [Name in keyof Settings]: Settings[Name] | undefined }): void {
  const members = Object.entries({ ...newChatSettings.value, ...change }).filter(([, member]) => member !== undefined)
  newChatSettings.value = Object.fromEntries(members)
}
