import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import type { ListedConversationJson } from '../api/types.ts'
import { countText, moneyText, periodText, totalText, visibleText } from '../format.ts'
import { dayAlarmUsd } from '../settings/preferences.ts'
import { Icon, type IconName } from '../shell/parts/icon.tsx'
import { uncoverChat } from '../shell/panels.ts'
import { isAlarming, refreshToday, todayUsd } from '../usage/today.ts'
import {
  archived,
  chats,
  deleteChat,
  hasMoreChats,
  loadMoreChats,
  moveChat,
  openChat,
  pageSize,
  toggleArchived,
} from './chats.ts'
import { turnsText } from './message/transcript.tsx'

/** The most chats that a filter shows: more than a reader looks through. */
const maxMatching = 200

/** The chats by the time of their last use, with a filter on their titles. */
export function ChatList(): VNode {
  const filter = useSignal('')
  const most = useSignal(pageSize)
  const all = chats.value ?? []
  const words = filter.value.trim().toLowerCase()
  const matching = words === '' ? all : all.filter(({ title = '' }) => title.toLowerCase().includes(words))
  // A filter loads many more than the list shows.
  const { pinned = [], others = [] } = Object.groupBy(matching, ({ shelf }) => (shelf ? 'pinned' : 'others'))
  const visible = others.slice(0, words === '' ? most.value : maxMatching)
  const groups = [...(pinned.length > 0 ? [['Pinned', pinned] as const] : []), ...Map.groupBy(visible, useOf)]
  const count = pinned.length + visible.length
  const isLooking = words !== '' && hasMoreChats.value
  // The page knows only the chats that it has loaded.
  useEffect(() => {
    if (isLooking) void loadMoreChats({ all: true }).catch(() => undefined)
  }, [isLooking, chats.value])
  const showMore = (): void => {
    most.value += pageSize
    if (most.value > all.length && hasMoreChats.value) void loadMoreChats()
  }
  return (
    <nav class="chats" aria-label="Chats">
      <a class="button primary-link" href="./" data-new-chat onClick={uncoverChat}>
        <Icon name="plus" />
        New chat
      </a>
      <input
        type="search"
        placeholder="Filter chats"
        aria-label="Filter chats"
        value={filter.value}
        onInput={({ currentTarget }) => (filter.value = currentTarget.value)}
      />
      {groups.map(([name, group]) => (
        <ChatGroup key={name} name={name} chats={group} />
      ))}
      {chats.value && count === 0 && !isLooking && (
        <p class="soft small count">{words ? `No chat has “${filter.value}” in its title.` : 'No chats yet.'}</p>
      )}
      <p class="soft small count" hidden={count === 0 && !isLooking}>
        {isLooking ? 'Looking …' : `${count} ${words ? `of ${countText(all.length, 'chat')} ` : ''}shown`}
        {!words && (hasMoreChats.value || count < all.length) && (
          <button type="button" class="quiet" onClick={showMore}>
            Show more
          </button>
        )}
      </p>
      <button
        type="button"
        class="quiet small archived"
        aria-expanded={archived.value !== undefined}
        onClick={() => void toggleArchived()}
      >
        <Icon name="archive" /> Archived
      </button>
      {archived.value && <ChatGroup name="Archived" chats={archived.value} />}
      {archived.value?.length === 0 && <p class="soft small count">No chat is archived.</p>}
      <Spending />
    </nav>
  )
}

function useOf({ updatedAt }: ListedConversationJson): string {
  return periodText(updatedAt)
}

function ChatGroup({ name, chats: group }: { name: string; chats: readonly ListedConversationJson[] }): VNode {
  return (
    <section aria-label={name}>
      <h2 class={name === 'Archived' ? 'visually-hidden' : undefined}>{name}</h2>
      <ul>
        {group.map((chat) => (
          <ChatItem key={chat.id} chat={chat} />
        ))}
      </ul>
    </section>
  )
}

/** The cost of the open chat, and of today. */
function Spending(): VNode {
  const chat = openChat.value?.info.value
  const cost = chat?.usage.cost
  // Another tab or a terminal may have changed another chat.
  const changedAt = chats.value?.[0]?.updatedAt
  useEffect(() => void refreshToday(), [chat?.updatedAt, changedAt, dayAlarmUsd.value])
  return (
    <p class={`spending small ${isAlarming() ? 'warn' : 'soft'}`}>
      {cost && totalText(cost) && <span>chat {totalText(cost)}</span>}
      {todayUsd.value !== undefined && (
        <a href="usage?period=1d">
          today {moneyText(todayUsd.value)}
          {dayAlarmUsd.value > 0 && ` of ${moneyText(dayAlarmUsd.value)}`}
        </a>
      )}
    </p>
  )
}

interface ToolProps {
  name: string
  icon: IconName
  /** The chat. */
  title: string
  run: () => Promise<void>
}

function Tool({ name, icon, title, run }: ToolProps): VNode {
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`${name} ${title}`}
      title={name}
      onClick={() => {
        // The button disappears, or moves, with its chat.
        document.querySelector<HTMLElement>('[data-new-chat]')?.focus()
        void run()
      }}
    >
      <Icon name={icon} />
    </button>
  )
}

function ChatItem({ chat }: { chat: ListedConversationJson }): VNode {
  const { id, messages, cost, turn } = chat
  const title = visibleText(chat.title ?? 'Untitled')
  const isOpen = openChat.value?.id === id
  // The open chat follows its reply itself. The list is told of changes up to half a second later.
  const isWriting = isOpen ? openChat.value!.isBusy.value : turn !== null
  return (
    <li>
      <a href={`c/${encodeURIComponent(id)}`} aria-current={isOpen ? 'page' : undefined} onClick={uncoverChat}>
        <span class="title" dir="auto">
          {title}
        </span>
        <span class="soft small">
          {isWriting ? 'writing … · ' : ''}
          {[totalText(cost), turnsText(messages)].filter(Boolean).join(' · ')}
        </span>
      </a>
      <span class="tools">
        {chat.shelf !== 'archived' && (
          <Tool
            name={chat.shelf ? 'Unpin' : 'Pin'}
            icon="pin"
            title={title}
            run={() => moveChat(chat, chat.shelf ? null : 'pinned')}
          />
        )}
        <Tool
          name={chat.shelf === 'archived' ? 'Unarchive' : 'Archive'}
          icon="archive"
          title={title}
          run={() => moveChat(chat, chat.shelf === 'archived' ? null : 'archived')}
        />
        <Tool name="Delete" icon="trash" title={title} run={() => deleteChat(chat)} />
      </span>
    </li>
  )
}
