import { type ReadonlySignal, type Signal, computed } from '@preact/signals'
import type { CreateBody } from '../api/types.ts'
import { stored } from '../shell/storage.ts'
import { models } from './models.ts'

/** The settings of new chats, where they differ from the server's. */
export const newChatSettings: Signal<NonNullable<CreateBody['settings']>> = stored('newChat', {})

/**
 * The model of new chats: the chosen one, the server's default, or the first. Undefined until the models are loaded. One that
 * is gone is not used.
 */
export const newChatModel: ReadonlySignal<string | undefined> = computed(() => {
  const { data = [], defaults } = models.value ?? {}
  const { model } = newChatSettings.value
  return data.some(({ id }) => id === model) ? model : (defaults?.model ?? data[0]?.id)
})

export function changeNewChats(change: NonNullable<CreateBody['settings']>): void {
  newChatSettings.value = { ...newChatSettings.value, ...change }
}
