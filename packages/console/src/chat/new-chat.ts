import { type Signal, signal } from '@preact/signals'
import type { CreateBody } from '../api/types.ts'

/** The settings of the chat that the next message begins, where they differ from the server's. */
export const newChatSettings: Signal<NonNullable<CreateBody['settings']>> = signal({})
