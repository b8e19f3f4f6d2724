import { type Signal, signal } from '@preact/signals'
import { call } from '../../api/http.ts'
import type { ToolJson, ToolsJson } from '../../api/types.ts'
import type { AnyBlock } from '../message/content-text.ts'

/** The tools that the server runs for its chats; undefined until they are loaded. */
const tools: Signal<readonly ToolJson[] | undefined> = signal(undefined)
/** The tools that run without asking until the page is left, by chat. */
const unasked = new Map<string, Set<unknown>>()

export async function loadTools(): Promise<void> {
  tools.value ??= (await call<ToolsJson>('GET', 'api/tools')).data
}

/** Whether the server can run a call. */
export function isRunnable({ name }: AnyBlock): boolean {
  return tools.value?.some((tool) => tool.name === name) ?? false
}

export function runsUnasked(chatId: string, { name }: AnyBlock): boolean {
  return tools.value?.find((tool) => tool.name === name)?.runsUnasked || !!unasked.get(chatId)?.has(name)
}

/** Runs later calls of these tools in the chat without asking. */
export function askNoMore(chatId: string, calls: readonly AnyBlock[]): void {
  unasked.set(chatId, new Set([...(unasked.get(chatId) ?? []), ...calls.map(({ name }) => name)]))
}
