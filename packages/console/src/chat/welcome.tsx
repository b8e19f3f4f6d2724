import type { ComponentType, VNode } from 'preact'
import { memberKey } from '../api/session.ts'
import { keyNames, keysFor } from '../shell/commands/bindings.ts'
import { commands } from '../shell/commands/commands.ts'
import { Suspended } from '../shell/parts/suspended.tsx'
import { chats } from './list/chats.ts'
import { setDraft } from './compose/unsent-text.ts'
import { ModelPicker } from './model-picker.tsx'
import { modelNamed } from './models.ts'
import { changeNewChats, newChatModel } from './new-chat.ts'

const prompts = [
  ['Explain', 'how a hash table works, with a small example in TypeScript.'],
  ['Plan', 'three days in Kyoto for a friend who likes gardens and quiet streets.'],
  ['Write', 'a regular expression for ISO 8601 dates and explain each part.'],
]

/** The first thing that is seen: the model that will answer, and something to try. */
export function Welcome(): VNode {
  const model = newChatModel.value
  const choice = modelNamed(model)
  const isFirst = chats.value?.length === 0
  return (
    <section class="empty welcome" aria-labelledby="welcome">
      <h1 id="welcome">{isFirst ? 'Welcome to Colloquy' : 'New chat'}</h1>
      {isFirst && <Suspended load={loadFirstSteps} frame={(content) => content} />}
      {model && (
        <div class="row">
          <ModelPicker value={model} onChange={(next) => changeNewChats({ model: next })} />
          <span class="soft small">
            {choice?.isLocal ? 'Runs on this machine and costs nothing.' : priceText(choice?.price)}
          </span>
        </div>
      )}
      <ul class="prompts" aria-label="Something to try">
        {prompts.map(([verb, rest]) => (
          <li key={verb}>
            <button type="button" onClick={() => tryPrompt(`${verb} ${rest}`)}>
              <strong>{verb}</strong> {rest}
            </button>
          </li>
        ))}
      </ul>
      <p class="soft small">
        {memberKey.value
          ? 'Your chats stay on the server, where only you and its operator see them. '
          : 'Chats stay on the machine of the server, in the same file as those of the terminal. '}
        <SearchKeys /> searches them and runs every command.
      </p>
    </section>
  )
}

/** Few readers have no chat yet. */
async function loadFirstSteps(): Promise<ComponentType> {
  return (await import('./first-steps.tsx')).FirstSteps
}

function priceText(price: { inputUsd: string; outputUsd: string } | null | undefined): string {
  return price ? `$${price.inputUsd} in, $${price.outputUsd} out per million tokens.` : 'Answers over the network.'
}

function SearchKeys(): VNode | undefined {
  const [search] = commands
  const names = search ? keyNames(keysFor(search)) : []
  return <kbd>{names.join(' ')}</kbd>
}

function tryPrompt(prompt: string): void {
  setDraft('new', prompt)
  document.querySelector<HTMLElement>('#composer')?.focus()
}
