import type { Signal } from '@preact/signals'
import type { VNode } from 'preact'
import { ModelPicker } from '../chat/model-picker.tsx'
import { models } from '../chat/models.ts'
import { newChatSettings } from '../chat/new-chat.ts'
import { commands } from '../shell/commands/commands.ts'
import { type Theme, theme } from '../shell/theme.ts'
import { exportAll } from './export-all.ts'
import { Keys } from './keys.tsx'
import { enterSends, readReplies, timeZone, warnCostUsd } from './preferences.ts'

/** The settings of this browser, and the models of the server. */
export function SettingsView(): VNode {
  return (
    <main id="main" class="view" tabIndex={-1}>
      <h1>Settings</h1>
      <section class="group" aria-labelledby="appearance">
        <h2 id="appearance">Appearance</h2>
        <Choice
          label="Theme"
          value={theme}
          options={{ system: 'As the system', light: 'Light', dark: 'Dark' } satisfies Record<Theme, string>}
        />
        <Choice label="Times in charts" value={timeZone} options={{ local: 'Time zone of this browser', UTC: 'UTC' }} />
      </section>
      <section class="group" aria-labelledby="writing">
        <h2 id="writing">Writing</h2>
        <label class="check">
          <input
            type="checkbox"
            checked={enterSends.value}
            onChange={({ currentTarget }) => (enterSends.value = currentTarget.checked)}
          />
          <span>Enter sends the message. Otherwise Ctrl-Enter does.</span>
        </label>
        <label>
          <span>Warn before a request that may cost more, in US dollars</span>
          <input
            type="number"
            min={0}
            step="any"
            value={String(warnCostUsd.value)}
            onChange={({ currentTarget }) => (warnCostUsd.value = Number(currentTarget.value))}
          />
        </label>
        <Choice
          label="Read replies to screen readers"
          value={readReplies}
          options={{ finished: 'When they are finished', sentence: 'By sentence', never: 'Never' }}
        />
      </section>
      <section class="group" aria-labelledby="models">
        <h2 id="models">Models</h2>
        <Engine />
      </section>
      <Keys />
      <section class="group" aria-labelledby="data">
        <h2 id="data">Your data</h2>
        <p>Chats are stored on the machine of the server, in one file. The terminal shows the same ones.</p>
        <p class="row">
          <button type="button" onClick={() => void exportAll()}>
            Export every chat
          </button>
        </p>
      </section>
      <p class="soft small">{commands.length} commands have a key or a line in the palette: Ctrl K.</p>
    </main>
  )
}

function Choice<T extends string>({
  label,
  value,
  options,
}: {
  label: string
  value: Signal<T>
  options: Record<T, string>
}): VNode {
  return (
    <label>
      <span>{label}</span>
      <select value={value.value} onChange={({ currentTarget }) => (value.value = currentTarget.value as T)}>
        {(Object.entries(options) as [T, string][]).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

function Engine(): VNode {
  const model = newChatSettings.value.model ?? models.value?.defaults.model
  if (!models.value || !model) return <p class="soft">The server has not said which models it has.</p>
  return (
    <label>
      <span>Model of new chats</span>
      <ModelPicker
        value={model}
        onChange={(next) => (newChatSettings.value = { ...newChatSettings.value, model: next })}
      />
    </label>
  )
}
