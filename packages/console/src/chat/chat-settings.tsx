import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { Dialog, closeDialog } from '../shell/parts/dialog.tsx'
import { notify } from '../shell/status.tsx'
import { openChat } from './chats.ts'
import { ModelPicker } from './model-picker.tsx'
import { modelNamed } from './models.ts'

/** The settings of the chat that is open. */
export function ChatSettings(): VNode | undefined {
  const chat = openChat.value
  const failure = useSignal<string | undefined>(undefined)
  const settings = chat?.info.value.settings
  const model = useSignal(settings?.model ?? '')
  if (!chat || !settings) return undefined
  const efforts = modelNamed(model.value)?.efforts ?? []
  return (
    <Dialog title="Settings of this chat">
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          const change = changeOf(new FormData(event.currentTarget))
          chat
            .change({ settings: { ...change, model: model.value } })
            .then(() => {
              closeDialog()
              notify('Settings saved')
            })
            .catch((error: Error) => (failure.value = error.message))
        }}
      >
        <label>
          <span>Model</span>
          <ModelPicker value={model.value} onChange={(next) => (model.value = next)} />
        </label>
        <label>
          <span>System prompt</span>
          <textarea name="system" rows={5} defaultValue={typeof settings.system === 'string' ? settings.system : ''} />
        </label>
        <label>
          <span>Longest reply, in tokens</span>
          <input name="max_tokens" type="number" min={1} required defaultValue={String(settings.max_tokens)} />
        </label>
        {efforts.length > 0 && (
          <label>
            <span>Thinking</span>
            <select name="effort" defaultValue={settings.output_config?.effort ?? ''}>
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
          <input name="budget" type="number" min={0} step="any" defaultValue={String(settings.budget?.usd ?? '')} />
        </label>
        {failure.value && (
          <p class="failure" role="alert">
            {failure.value}
          </p>
        )}
        <p class="row">
          <button type="submit" class="primary">
            Save
          </button>
          <button type="button" class="quiet" onClick={closeDialog}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  )
}

/** Null removes a setting. */
function changeOf(form: FormData): Record<string, unknown> {
  const text = (name: string): string => String(form.get(name) ?? '').trim()
  return {
    system: text('system') || null,
    max_tokens: Number(text('max_tokens')),
    budget: text('budget') === '' ? null : { usd: Number(text('budget')) },
    ...(form.has('effort') && { output_config: text('effort') ? { effort: text('effort') } : null }),
  }
}
