import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { ListedConversationJson, PageJson } from '../../api/types.ts'
import { countText, moneyText, periodText, totalText, turnsText, visibleText } from '../../format.ts'
import { dayAlarmUsd } from '../../settings/preferences.ts'
import { Icon, type IconName } from '../../shell/parts/icon.tsx'
import { Placeholder, useLoaded } from '../../shell/parts/loaded.tsx'
import { chatId } from '../../shell/router.ts'
import { uncoverChat } from '../../shell/panels.ts'
import { isAlarming, refreshToday, todayUsd } from '../../usage/today.ts'
import { openChat } from '../shown-chat.ts'
import {
  archived,
  chats,
  deleteChat,
  findChats,
  listFailure,
  loadChats,
  nextChats,
  loadMoreChats,
  moveChat,
  pageSize,
  toggleArchived,
} from './chats.ts'

/** The chats by the time of their last use, with a filter on their titles. */
export function ChatList(): VNode {
  const filter = useSignal('')
  const words = filter.value.trim()
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
      {words === '' ? <RecentChats /> : <FoundChats words={words} />}
      <Spending />
    </nav>
  )
}

function RecentChats(): VNode {
  const most = useSignal(pageSize)
  const next = useRef<HTMLButtonElement>(null)
  const all = chats.value ?? []
  const { pinned = [], others = [] } = Object.groupBy(all, ({ shelf }) => (shelf ? 'pinned' : 'others'))
  const visible = [...pinned, ...others.slice(0, most.value)]
  const showMore = async (): Promise<void> => {
    most.value += pageSize
    if (most.value > all.length) await loadMoreChats()
    // The button is gone when all are shown.
    requestAnimationFrame(() => document.activeElement === document.body && next.current?.focus())
  }
  return (
    <>
      <Groups chats={visible} />
      {listFailure.value && <Placeholder error={listFailure.value} reload={() => void loadChats()} />}
      {chats.value && all.length === 0 && <p class="soft small count">No chats yet.</p>}
      <p class="soft small count" hidden={all.length === 0}>
        {visible.length} shown
        {(nextChats.value !== null || visible.length < all.length) && (
          <button type="button" class="quiet" onClick={() => void showMore()}>
            Show more
          </button>
        )}
      </p>
      <button
        type="button"
        class="quiet small archived"
        ref={next}
        aria-expanded={archived.value !== undefined}
        onClick={() => void toggleArchived()}
      >
        <Icon name="archive" /> Archived
      </button>
      {archived.value && <Groups chats={archived.value} />}
      {archived.value?.length === 0 && <p class="soft small count">No chat is archived.</p>}
    </>
  )
}

/** The chats whose titles have the words: first those that the page knows, then all that the server finds. */
function FoundChats({ words }: { words: string }): VNode {
  const load = async (): Promise<Found> => ({ words, ...(await findChats(words)) })
  const { value: found, placeholder } = useLoaded(load, [words, chats.value])
  const known = found?.data ?? chats.value ?? []
  const matching = known.filter(({ title }) => title?.toLowerCase().includes(words.toLowerCase()))
  const count = countText(matching.length, 'chat')
  const isNothing = found?.words === words && matching.length === 0
  return (
    <>
      <Groups chats={matching} />
      {!found && placeholder}
      <p class="soft small count">
        {isNothing ? `No chat has “${words}” in its title.` : `${found?.hasMore ? `The first ${count}` : count} found`}
      </p>
    </>
  )
}

interface Found extends PageJson<ListedConversationJson> {
  words: string
}

function Groups({ chats: all }: { chats: readonly ListedConversationJson[] }): VNode {
  const { pinned = [], archived: shelved = [], others = [] } = Object.groupBy(all, ({ shelf }) => shelf ?? 'others')
  const groups = new Map([['Pinned', pinned], ...Map.groupBy(others, useOf), ['Archived', shelved]])
  return (
    <>{[...groups].map(([name, group]) => group.length > 0 && <ChatGroup key={name} name={name} chats={group} />)}</>
  )
}

function useOf({ updatedAt }: ListedConversationJson): string {
  return periodText(updatedAt)
}

function ChatGroup({ name, chats: group }: { name: string; chats: readonly ListedConversationJson[] }): VNode {
  return (
    <section aria-label={name}>
      <h2>{name}</h2>
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
  const isCurrent = chatId.value === id
  // The open chat follows its reply itself. The list is told of changes up to half a second later.
  const isWriting = isOpen ? openChat.value!.isBusy.value : turn !== null
  return (
    <li>
      <a href={`c/${encodeURIComponent(id)}`} aria-current={isCurrent ? 'page' : undefined} onClick={uncoverChat}>
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
