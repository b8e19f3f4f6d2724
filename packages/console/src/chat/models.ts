import { type Signal, signal } from '@preact/signals'
import { call } from '../api/http.ts'
import type { ModelChoiceJson, ModelsJson } from '../api/types.ts'

/** The models that a chat can use; undefined until they are loaded. */
export const models: Signal<ModelsJson | undefined> = signal(undefined)

export async function loadModels(): Promise<void> {
  models.value = await call<ModelsJson>('GET', 'api/models')
}

export function modelNamed(id: string | undefined): ModelChoiceJson | undefined {
  return models.value?.data.find((model) => model.id === id)
}

/** The name of a model as the list shows it; its id if it is not listed. */
export function modelName(id: string | undefined): string {
  return modelNamed(id)?.displayName ?? id ?? 'Reply'
}
