import type { VNode } from 'preact'
import { useRef } from 'preact/hooks'
import type { TreeJson } from '../../api/types.ts'
import type { OpenChat } from '../open-chat.ts'
import { rowsOf } from './tree-rows.ts'

/** All branches of a chat, one message a line. Arrow keys walk, Enter makes a branch the active one. */
export function TreeView({ chat, tree }: { chat: OpenChat; tree: TreeJson }): VNode {
  const list = useRef<HTMLUListElement>(null)
  const rows = rowsOf(tree)
  return (
    <>
      <h2>All branches</h2>
      <ul class="tree" role="tree" aria-label="Messages of all branches" ref={list}>
        {rows.map(({ message, level, isActive }) => (
          <li
            key={message.id}
            role="treeitem"
            aria-level={level + 1}
            aria-selected={isActive}
            tabIndex={message.id === tree.head ? 0 : -1}
            style={{ paddingInlineStart: `${Math.min(level, 12) * 14 + 6}px` }}
            class={isActive ? 'active' : undefined}
            onClick={() => void chat.switchTo(message.id)}
            onKeyDown={(event) => walk(event, () => void chat.switchTo(message.id))}
          >
            <span class="soft">{message.role === 'assistant' ? '◂' : '▸'} </span>
            {message.excerpt || '(no text)'}
            {message.state === 'interrupted' && <span class="soft"> ■</span>}
          </li>
        ))}
      </ul>
    </>
  )
}

function walk(event: KeyboardEvent, choose: () => void): void {
  const item = event.currentTarget as HTMLElement
  const target = { ArrowUp: item.previousElementSibling, ArrowDown: item.nextElementSibling }[event.key]
  if (event.key === 'Enter' || event.key === ' ') choose()
  else if (target) (target as HTMLElement).focus()
  else return
  event.preventDefault()
}
