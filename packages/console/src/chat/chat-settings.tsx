import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { closeDialog } from '../shell/parts/dialog.tsx'
import { notify } from '../shell/status.tsx'
import type { ConversationJson } from '../api/types.ts'
import type { OpenChat } from './open-chat.ts'
import { openChat } from './shown-chat.ts'
import { type AnyBlock, textOf } from './message/content-text.ts'
import { ModelPicker } from './model-picker.tsx'
import { modelNamed } from './models.ts'

/** The settings of the chat that is open. */
export function ChatSettings(): VNode | undefined {
  const chat = openChat.value
  const settings = chat?.info.value.settings
  const model = useSignal(settings?.model ?? '')
  const { failure, isSaving, save } = useSave(chat)
  if (!chat || !settings) return undefined
  const shown = fieldsOf(settings)
  const efforts = modelNamed(model.value)?.efforts ?? []
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault()
        void save({ ...changeOf(new FormData(event.currentTarget), settings), model: model.value })
      }}
    >
      <label>
        <span>Model</span>
        <ModelPicker value={model.value} onChange={(next) => (model.value = next)} />
      </label>
      <label>
        <span>System prompt</span>
        <textarea name="system" rows={5} defaultValue={shown.system} />
      </label>
      <label>
        <span>Longest reply, in tokens</span>
        <input name="max_tokens" type="number" min={1} required defaultValue={shown.max_tokens} />
      </label>
      {efforts.length > 0 && (
        <label>
          <span>Thinking</span>
          <select name="effort" defaultValue={shown.effort}>
            <option value="">as the model does by default</option>
            {efforts.map((effort) => (
              <option key={effort} value={effort}>
                {effort}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        <span>Budget of this chat, in US dollars (empty: none)</span>
        <input name="budget" type="number" min={0} step="any" defaultValue={shown.budget} />
      </label>
      {failure !== undefined && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      <p class="row">
        <button type="submit" class="primary" disabled={isSaving}>
          {isSaving ? 'Saving …' : 'Save'}
        </button>
        <button type="button" class="quiet" onClick={closeDialog}>
          Cancel
        </button>
      </p>
    </form>
  )
}

interface Saving {
  failure: string | undefined
  isSaving: boolean
  save: (change: Record<string, unknown>) => Promise<void>
}

/** Changes the settings of a chat, and closes the dialog then. */
function useSave(chat: OpenChat | undefined): Saving {
  const failure = useSignal<string | undefined>(undefined)
  const isSaving = useSignal(false)
  const save = async (settings: Record<string, unknown>): Promise<void> => {
    isSaving.value = true
    failure.value = undefined
    try {
      await chat?.change({ settings })
      closeDialog()
      notify('Settings saved')
    } catch (error) {
      failure.value = (error as Error).message
      isSaving.value = false
    }
  }
  return { failure: failure.value, isSaving: isSaving.value, save }
}

type Settings = ConversationJson['settings']

/** The settings as the fields of the form have them. */
function fieldsOf({ system, max_tokens, output_config, budget }: Settings): Record<string, string> {
  return {
    system: textOf((system ?? '') as string | AnyBlock[]),
    max_tokens: String(max_tokens),
    effort: output_config?.effort ?? '',
    budget: String(budget?.usd ?? ''),
  }
}

/** The settings whose fields were changed: they may have more than the form shows. Null removes a setting. */
function changeOf(form: FormData, settings: Settings): Record<string, unknown> {
  const shown = fieldsOf(settings)
  const change: Record<string, unknown> = {}
  for (const [name, value] of form) {
    const text = String(value).trim()
    if (text !== shown[name]?.trim()) Object.assign(change, changes[name]?.(text, settings))
  }
  return change
}

const changes: Record<string, (text: string, settings: Settings) => object> = {
  system: (text) => ({ system: text || null }),
  max_tokens: (text) => ({ max_tokens: Number(text) }),
  effort: (text, { output_config }) => ({ output_config: withMember(output_config, 'effort', text || undefined) }),
  budget: (text, { budget }) => ({ budget: withMember(budget, 'usd', text === '' ? undefined : Number(text)) }),
}

/** The object with a member, or without it if the value is undefined. Null if it has no other. */
function withMember(object: object | undefined, name: string, value: unknown): object | null {
  const members = Object.entries({ ...object, [name]: value }).filter(([, member]) => member !== undefined)
  return members.length === 0 ? null : Object.fromEntries(members)
}
