import type { VNode } from 'preact'
import type { ModelChoiceJson } from '../api/types.ts'
import { models } from '../chat/models.ts'
import { changeNewChats, newChatModel, newChatSettings } from '../chat/new-chat.ts'
import { tokenText } from '../format.ts'

/** The models that can answer, and the one of new chats. */
export function Engines(): VNode {
  const all = models.value?.data ?? []
  const isLocalOnly = all.every(({ isLocal }) => isLocal)
  return (
    <section class="group" aria-labelledby="models">
      <h2 id="models">Models</h2>
      {all.length === 0 && <p class="soft">The server has not said which models it has.</p>}
      {all.length > 0 && <ModelTable all={all} />}
      {all.length > 0 && isLocalOnly && (
        <p class="soft small">
          For Claude models, set a key in a terminal and start the server again:{' '}
          <code>colloquy keys set anthropic</code>
        </p>
      )}
      <label class="setting">
        <span>
          System prompt of new chats
          <small class="soft">Instructions that come before the first message. A chat can have another one.</small>
        </span>
        <textarea
          rows={3}
          dir="auto"
          value={String(newChatSettings.value.system ?? '')}
          // With every key: a reload loses nothing.
          onInput={({ currentTarget: { value } }) => changeNewChats({ system: value.trim() ? value : undefined })}
        />
      </label>
    </section>
  )
}

function ModelTable({ all }: { all: readonly ModelChoiceJson[] }): VNode {
  const headings = ['New chats', 'Model', 'Answers', 'Context', 'Per million tokens']
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Models">
      <table class="cards">
        <thead>
          <tr>
            {headings.map((heading) => (
              <th key={heading} scope="col">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {all.map((model) => (
            <tr key={model.id}>
              <td data-label="New chats">
                <input
                  type="radio"
                  name="new-chats"
                  aria-label={`New chats use ${model.displayName}`}
                  checked={newChatModel.value === model.id}
                  onChange={() => changeNewChats({ model: model.id })}
                />
              </td>
              <th scope="row" data-label="Model">
                {model.displayName}
              </th>
              <td data-label="Answers">{model.isLocal ? 'on this machine' : 'over the network'}</td>
              <td data-label="Context">{model.contextTokens ? tokenText(model.contextTokens) : '–'}</td>
              <td data-label="Per million tokens">{priceText(model)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function priceText({ isLocal, price }: ModelChoiceJson): string {
  if (isLocal) return 'free'
  return price ? `$${price.inputUsd} in, $${price.outputUsd} out` : 'no price'
}
