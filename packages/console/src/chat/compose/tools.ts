import { type Signal, signal } from '@preact/signals'
import { call } from '../../api/http.ts'
import type { ToolJson, ToolsJson } from '../../api/types.ts'
import { stored } from '../../shell/storage.ts'
import type { AnyBlock } from '../message/content-text.ts'

/** The tools that the server runs for its chats; undefined until they are loaded. */
const tools: Signal<readonly ToolJson[] | undefined> = signal(undefined)
/** The names of tools that run without asking until the tab is closed, by chat. */
const unasked: Signal<Readonly<Record<string, readonly unknown[]>>> = stored('unasked', {}, 'sessionStorage')

/** Loads the tools that the server has now. */
export async function loadTools(): Promise<void> {
  tools.value = (await call<ToolsJson>('GET', 'api/tools')).data
}

/** Whether the server can run a call. */
export function isRunnable({ name }: AnyBlock): boolean {
  return tools.value?.some((tool) => tool.name === name) ?? false
}

export function runsUnasked(chatId: string, { name }: AnyBlock): boolean {
  return tools.value?.find((tool) => tool.name === name)?.runsUnasked || !!unasked.value[chatId]?.includes(name)
}

/** Runs later calls of these tools in the chat without asking. */
export function askNoMore(chatId: string, calls: readonly AnyBlock[]): void {
  const names = [...(unasked.value[chatId] ?? []), ...calls.map(({ name }) => name)]
  unasked.value = { ...unasked.value, [chatId]: [...new Set(names)] }
}
