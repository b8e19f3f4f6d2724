import type { VNode } from 'preact'
import { drafts } from '../settings/preferences.ts'
import { ModelPicker } from './model-picker.tsx'
import { models } from './models.ts'
import { newChatSettings } from './new-chat.ts'

const prompts = [
  'Explain how a hash table works, with a small example in TypeScript.',
  'Plan three days in Kyoto for a friend who likes gardens and quiet streets.',
  'Write a regular expression for ISO 8601 dates and explain each part.',
]

/** The first thing that is seen: the model that will answer, and something to try. */
export function Welcome(): VNode {
  const model = newChatSettings.value.model ?? models.value?.defaults.model
  const choice = models.value?.data.find(({ id }) => id === model)
  return (
    <section class="empty" aria-labelledby="welcome">
      <h1 id="welcome">New chat</h1>
      {models.value && model && (
        <div class="row">
          <ModelPicker
            value={model}
            onChange={(next) => (newChatSettings.value = { ...newChatSettings.value, model: next })}
          />
          <span class="soft small">
            {choice?.isLocal ? 'runs on this machine and costs nothing' : 'answers over the network'}
          </span>
        </div>
      )}
      <p class="soft">Something to try:</p>
      <ul class="prompts">
        {prompts.map((prompt) => (
          <li key={prompt}>
            <button type="button" onClick={() => tryPrompt(prompt)}>
              {prompt}
            </button>
          </li>
        ))}
      </ul>
      <p class="soft small">
        Chats are stored on this machine, in the same place as those of the terminal. <kbd>Ctrl K</kbd> searches them
        and runs every command.
      </p>
    </section>
  )
}

function tryPrompt(prompt: string): void {
  drafts.value = { ...drafts.value, new: prompt }
  document.querySelector<HTMLElement>('#composer')?.focus()
}
