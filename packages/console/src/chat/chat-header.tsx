import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useRef } from 'preact/hooks'
import { totalText } from '../format.ts'
import { isComposing } from '../shell/commands/bindings.ts'
import { dialog, isInspectorOpen, toggleInspector } from '../shell/panels.ts'
import { Icon } from '../shell/parts/icon.tsx'
import { notify } from '../shell/status.tsx'
import { ModelPicker } from './model-picker.tsx'
import type { OpenChat } from './open-chat.ts'
import { Meter } from './meter.tsx'

/** The title of a chat, which can be changed in its place, its model, and its settings. */
export function ChatHeader({ chat }: { chat: OpenChat }): VNode {
  const { settings, usage } = chat.info.value
  return (
    <header class="chat-header">
      <Title key={chat.id} chat={chat} />
      <ModelPicker value={settings.model} onChange={(model) => void chat.change({ settings: { model } })} />
      <Meter chat={chat} />
      <span class="soft small total" title="Cost of this chat, all branches">
        {totalText(usage.cost)}
      </span>
      <button type="button" class="quiet" aria-label="Settings of this chat" onClick={() => (dialog.value = 'chat')}>
        <Icon name="settings" />
        <span class="wide">Settings</span>
      </button>
      <button
        type="button"
        class="quiet"
        aria-label="Inspect"
        aria-pressed={isInspectorOpen.value}
        onClick={toggleInspector}
      >
        <Icon name="inspect" />
        <span class="wide">Inspect</span>
      </button>
    </header>
  )
}

function Title({ chat }: { chat: OpenChat }): VNode {
  const isEditing = useSignal(false)
  const button = useRef<HTMLButtonElement>(null)
  // The field is gone. The focus returns to the button, unless the reader has moved it.
  const close = (): void => {
    isEditing.value = false
    requestAnimationFrame(() => document.activeElement === document.body && button.current?.focus())
  }
  // A title that is refused stays in the field.
  const save = (title: string): void => {
    if (title.trim() === '' || title === chat.title.value) return close()
    chat.change({ title }).then(close, (error: Error) => notify(`The title was not saved: ${error.message}`))
  }
  if (!isEditing.value) {
    return (
      <h1 class="grow">
        <button
          ref={button}
          type="button"
          class="quiet title"
          dir="auto"
          title="Rename"
          onClick={() => (isEditing.value = true)}
        >
          {chat.title.value}
          <Icon name="edit" />
        </button>
      </h1>
    )
  }
  return (
    <form
      class="grow"
      onSubmit={(event) => {
        event.preventDefault()
        save(String(new FormData(event.currentTarget).get('title')))
      }}
    >
      <input
        name="title"
        aria-label="Title of the chat"
        dir="auto"
        defaultValue={chat.title.value}
        maxLength={200}
        ref={(element) => element?.focus()}
        onBlur={({ currentTarget }) => save(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || isComposing(event)) return
          // A field that goes loses the focus, which saves it.
          event.currentTarget.value = chat.title.value
          close()
        }}
      />
    </form>
  )
}
