import type { VNode } from 'preact'
import { memberKey, signOut } from '../api/session.ts'
import { type Theme, theme } from '../shell/theme.ts'
import { YourData } from './data.tsx'
import { Engines } from './engines.tsx'
import { Choice } from './fields.tsx'
import { KeyBindings } from './key-bindings.tsx'
import { Keys } from './keys.tsx'
import { OwnKey } from './own-key.tsx'
import { enterSends, readReplies, timeZone } from './preferences.ts'
import { Spending } from './spending.tsx'

/** The settings of this browser, the models and keys of the server, and the chats as files. */
export function SettingsView(): VNode {
  return (
    <main id="main" class="view settings" tabIndex={-1}>
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
        <label class="setting">
          <span>
            Enter sends the message
            <small class="soft">Otherwise Ctrl Enter does.</small>
          </span>
          <input
            type="checkbox"
            checked={enterSends.value}
            onChange={({ currentTarget }) => (enterSends.value = currentTarget.checked)}
          />
        </label>
        <Choice
          label="Read replies to screen readers"
          value={readReplies}
          options={{ finished: 'When they are finished', sentence: 'By sentence', never: 'Never' }}
        />
      </section>
      <Spending />
      <Engines />
      {memberKey.value ? <OwnKey id={memberKey.value} /> : <Keys />}
      <KeyBindings />
      <YourData />
      <p>
        <button type="button" onClick={() => void signOut()}>
          Sign out
        </button>
      </p>
    </main>
  )
}
