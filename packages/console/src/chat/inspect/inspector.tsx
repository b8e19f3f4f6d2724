import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { dateTimeText, tokenText } from '../../format.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import { useLoaded } from '../../shell/parts/loaded.tsx'
import { Facts } from '../../shell/parts/facts.tsx'
import { closeInspector } from '../../shell/panels.ts'
import type { OpenChat } from '../open-chat.ts'
import { takesFocus } from './inspected.ts'
import { RequestTab } from './request-tab.tsx'
import { saveMarkdown } from './save-markdown.ts'
import { TreeView } from './tree-view.tsx'

const tabs = ['Request', 'Tree', 'Info'] as const
type Tab = (typeof tabs)[number]

/** The exact request, the tree of the chat, and what is known about it. */
export function Inspector({ chat }: { chat: OpenChat }): VNode {
  const tab = useSignal<Tab>('Request')
  const isFocused = takesFocus.value
  useEffect(() => {
    if (!isFocused) return
    takesFocus.value = false
    document.querySelector<HTMLElement>('#tab-Request')?.focus()
  }, [isFocused])
  return (
    <aside class="inspector" aria-label="Inspector">
      <div class="row">
        <div role="tablist" aria-label="Inspector" class="row grow">
          {tabs.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-selected={tab.value === name}
              aria-controls="inspector-panel"
              tabIndex={tab.value === name ? 0 : -1}
              onClick={() => (tab.value = name)}
              onKeyDown={(event) => (tab.value = moveTab(event, name))}
            >
              {name}
            </button>
          ))}
        </div>
        <button type="button" class="quiet" aria-label="Close the inspector" onClick={closeInspector}>
          <Icon name="close" />
        </button>
      </div>
      <div role="tabpanel" id="inspector-panel" aria-labelledby={`tab-${tab.value}`} tabIndex={0}>
        {tab.value === 'Request' && <RequestTab chat={chat} />}
        {tab.value === 'Tree' && <Tree chat={chat} />}
        {tab.value === 'Info' && <Info chat={chat} />}
      </div>
    </aside>
  )
}

function moveTab({ key }: KeyboardEvent, name: Tab): Tab {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key]
  if (!step) return name
  const next = tabs[(tabs.indexOf(name) + step + tabs.length) % tabs.length] ?? name
  document.querySelector<HTMLElement>(`#tab-${next}`)?.focus()
  return next
}

function Tree({ chat }: { chat: OpenChat }): VNode {
  const { placeholder } = useLoaded(() => chat.loadTree(), [chat])
  useEffect(() => () => void (chat.tree.value = undefined), [chat])
  return chat.tree.value ? <TreeView chat={chat} tree={chat.tree.value} /> : placeholder
}

function Info({ chat }: { chat: OpenChat }): VNode {
  const { id, createdAt, updatedAt, usage, settings } = chat.info.value
  const rows: [string, string][] = [
    ['Created', dateTimeText(createdAt)],
    ['Last change', dateTimeText(updatedAt)],
    ['Replies', String(usage.calls)],
    ['Input', `${tokenText(usage.input_tokens)} tokens`],
    ['Cache write', `${tokenText(usage.cache_creation_input_tokens)} tokens`],
    ['Cache read', `${tokenText(usage.cache_read_input_tokens)} tokens`],
    ['Output', `${tokenText(usage.output_tokens)} tokens`],
    ['Cost', `${usage.cost.estimated ? '≈' : ''}$${usage.cost.usd}`],
    ['Without a price', String(usage.cost.unpriced)],
    ['Model', settings.model],
    ['Id', id],
  ]
  return (
    <>
      <h2>This chat</h2>
      <Facts rows={rows} />
      <p class="row">
        <a class="button" href={`api/conversations/${encodeURIComponent(id)}/export`} download={`${id}.jsonl`}>
          Export
        </a>
        <button type="button" onClick={() => void saveMarkdown(chat)}>
          Save as Markdown
        </button>
      </p>
    </>
  )
}
