import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { visibleText } from '../../format.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import type { OpenChat } from '../open-chat.ts'
import type { TreeJson } from '../../api/types.ts'
import { prune } from './prune.ts'
import { type Row, rowsOf } from './tree-rows.ts'

/** All branches of a chat, one message a line. Arrow keys walk, Enter makes a branch the active one, Delete prunes it. */
export function TreeView({ chat, tree }: { chat: OpenChat; tree: TreeJson }): VNode {
  const rows = rowsOf(tree, chat.erasing.value)
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => list.current?.querySelector('[tabindex="0"]')?.scrollIntoView({ block: 'center' }), [])
  return (
    <>
      <h2>All branches</h2>
      <ul class="tree" role="tree" ref={list} aria-label="Messages of all branches">
        {rows.map((row) => (
          <TreeItem key={row.message.id} chat={chat} row={row} isHead={row.message.id === tree.head} />
        ))}
      </ul>
      <p class="soft small">
        Enter switches to a branch, <kbd>Delete</kbd> erases a message and all that follow it.
      </p>
    </>
  )
}

function TreeItem({ chat, row, isHead }: { chat: OpenChat; row: Row; isHead: boolean }): VNode {
  const { message, level, isActive } = row
  const choose = (): void => void chat.switchTo(message.id)
  const erase = (item: Element | null): void => {
    const neighbour = item?.previousElementSibling ?? item?.nextElementSibling
    void prune(chat, message)
    ;(neighbour as HTMLElement | null)?.focus()
  }
  return (
    <li
      role="treeitem"
      aria-level={level + 1}
      aria-selected={isActive}
      aria-keyshortcuts="Delete"
      tabIndex={isHead ? 0 : -1}
      style={{ paddingInlineStart: `${Math.min(level, 12) * 14 + 6}px` }}
      class={isActive ? 'active' : undefined}
      onClick={choose}
      onKeyDown={(event) => walk(event, choose, () => erase(event.currentTarget))}
    >
      <span class="who" aria-label={message.role === 'assistant' ? 'Reply' : 'You'} role="img">
        {message.role === 'assistant' ? '◂' : '▸'}
      </span>
      <span class="excerpt">
        {visibleText(message.excerpt) || '(no text)'}
        {message.state === 'interrupted' && <span class="soft"> ■</span>}
      </span>
      {/* Not a button: a tree item may not contain one. The key does the same. */}
      <span
        class="prune"
        aria-hidden="true"
        title="Erase this message and all that follow it"
        onClick={(event) => {
          event.stopPropagation()
          erase(event.currentTarget.closest('li'))
        }}
      >
        <Icon name="trash" />
      </span>
    </li>
  )
}

function walk(event: KeyboardEvent, choose: () => void, erase: () => void): void {
  const item = event.currentTarget as HTMLElement
  const siblings = item.parentElement?.children
  const target = {
    ArrowUp: item.previousElementSibling,
    ArrowDown: item.nextElementSibling,
    Home: siblings?.[0],
    End: siblings?.[siblings.length - 1],
  }[event.key]
  if (event.key === 'Enter' || event.key === ' ') choose()
  else if (event.key === 'Delete') erase()
  else if (target) (target as HTMLElement).focus()
  else return
  event.preventDefault()
}
