import { untracked, useComputed } from '@preact/signals'
import type { ComponentType, VNode } from 'preact'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { Icon } from '../../shell/parts/icon.tsx'
import type { PathMessageJson } from '../../api/types.ts'
import type { MessageJson } from 'colloquy/conversation/reader'
import { Suspended } from '../../shell/parts/suspended.tsx'
import { route } from '../../shell/router.ts'
import { focusField } from '../compose/composer.tsx'
import { FarMessages, useParts } from './far-messages.tsx'
import { Follower } from './follower.ts'
import { MessageView } from './message.tsx'
import type { OpenChat } from '../open-chat.ts'
import { TurnFailureView } from './ending/turn-failure.tsx'

/** The active path of a chat. Earlier messages are loaded when the reader asks for them. */
export function Transcript({ chat }: { chat: OpenChat }): VNode {
  const scroller = useRef<HTMLDivElement>(null)
  const follower = useMemo(() => new Follower(chat.isBusy, untracked(messageInAddress) === undefined), [chat])
  useLayoutEffect(() => follower.attach(scroller.current!), [follower])
  // A reader who asks wants to see the reply. A turn of another tab moves nothing.
  useLayoutEffect(() => {
    if (chat.asked.value === 0) return
    follower.follow()
    // The button that asked will be gone, or wait for the reply.
    queueMicrotask(() => document.activeElement?.matches('body, :disabled') && focusField())
  }, [chat.asked.value])

  return (
    <div
      class={follower.isFollowing.value ? 'transcript following' : 'transcript'}
      ref={scroller}
      role="log"
      aria-live="off"
      aria-busy={chat.isBusy.value}
      aria-label="Messages"
      tabIndex={0}
    >
      <div>
        {chat.hasEarlier.value && (
          <p class="center earlier">
            <button type="button" onClick={() => void loadEarlier(chat, scroller.current)}>
              Show earlier messages
            </button>
          </p>
        )}
        <Messages chat={chat} />
        {chat.info.value.waitingCalls.length > 0 && (
          <Suspended key={chat.id} load={() => loadToolResults(chat)} frame={(content) => content} />
        )}
        {chat.failure.value && <TurnFailureView chat={chat} failure={chat.failure.value} />}
      </div>
      {follower.isAway.value && (
        <p class="jump">
          <button type="button" onClick={() => follower.follow()}>
            <Icon name="down" />
            Jump to latest
          </button>
        </p>
      )}
    </div>
  )
}

/** Few chats have calls that wait. */
async function loadToolResults(chat: OpenChat): Promise<ComponentType> {
  const { ToolResults } = await import('../compose/tool-results.tsx')
  return () => <ToolResults chat={chat} />
}

/** Few readers compare replies. */
async function loadSideBySide(chat: OpenChat, parentId: string): Promise<ComponentType> {
  const { SideBySide } = await import('./side-by-side.tsx')
  return () => <SideBySide chat={chat} parentId={parentId} />
}

/** The message that the address names, which is shown in place of the end. */
function messageInAddress(): string | undefined {
  return route.value.name === 'chat' ? route.value.message : undefined
}

function Messages({ chat }: { chat: OpenChat }): VNode {
  // The id alone: while a reply grows, only its own element is rendered again.
  const liveId = useComputed(() => chat.live.value?.id).value
  const all = shownMessages(chat, liveId)
  const { parts, draw } = useParts(chat, all, messageInAddress())
  const last = all.at(-1)
  return (
    <>
      {parts.map((part) => {
        if (Array.isArray(part))
          return <FarMessages key={`to ${part.at(-1)?.id}`} messages={part} draw={() => draw(part)} />
        const isBeside = isCompared(chat, part)
        // A reply keeps its element when it is recorded: a click on it is not lost, and none of it is rendered again.
        const key = isBeside ? `replies to ${part.parentId}` : part.id
        return (
          <Entry key={key} {...{ chat, message: part, isBeside, isLive: part.id === liveId, isLast: part === last }} />
        )
      })}
      {chat.isBusy.value && last?.role === 'user' && <Waiting />}
    </>
  )
}

/** The recorded messages, and the reply that is arriving. */
function shownMessages(chat: OpenChat, liveId: string | undefined): PathMessageJson[] {
  // A reply may be recorded before the last of it has been read.
  const recorded = withoutErased(chat, chat.messages.value).filter(({ id }) => id !== liveId)
  const live = liveId === undefined ? undefined : chat.live.peek()
  // The failure of a turn stands for a reply that did not begin.
  const last = recorded.at(-1)
  const isUnbegun = chat.failure.value !== undefined && last?.role === 'assistant' && last.content.length === 0
  const shown = isUnbegun ? recorded.slice(0, -1) : recorded
  return live ? [...shown, unrecorded(live)] : shown
}

/** Stands for a reply that has not begun. */
export function Waiting(): VNode {
  return <p class="message soft waiting">…</p>
}

interface EntryProps {
  chat: OpenChat
  message: PathMessageJson
  isBeside: boolean
  isLive: boolean
  isLast: boolean
}

/** A message, or all replies to a message beside each other. */
function Entry({ chat, message, isBeside, isLive, isLast }: EntryProps): VNode {
  const { parentId } = message
  if (isBeside && parentId !== undefined)
    return <Suspended load={() => loadSideBySide(chat, parentId)} frame={(content) => content} />
  const live = isLive ? chat.live.value : undefined
  return <MessageView {...{ chat, message: live ? unrecorded(live) : message, isLast, isLive }} />
}

function unrecorded(reply: MessageJson): PathMessageJson {
  return { ...reply, versions: [reply.id] }
}

/** The messages before the first that is being erased. */
function withoutErased({ erasing }: OpenChat, messages: PathMessageJson[]): PathMessageJson[] {
  const index = messages.findIndex(({ id }) => erasing.value.has(id))
  return index === -1 ? messages : messages.slice(0, index)
}

function isCompared({ compared }: OpenChat, { role, parentId }: Pick<MessageJson, 'role' | 'parentId'>): boolean {
  return role === 'assistant' && compared.value !== undefined && parentId === compared.value
}

/** Keeps what the reader sees in its place while messages are added above. */
async function loadEarlier(chat: OpenChat, element: HTMLElement | null): Promise<void> {
  const below = element ? element.scrollHeight - element.scrollTop : 0
  await chat.loadEarlier()
  requestAnimationFrame(() => {
    if (element) element.scrollTop = element.scrollHeight - below
    // The button is gone when there are no earlier ones.
    if (document.activeElement === document.body) element?.focus()
  })
}
