import { useComputed } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../../shell/parts/icon.tsx'
import type { PathMessageJson } from '../../api/types.ts'
import { countText } from '../../format.ts'
import type { MessageJson } from 'colloquy/conversation/reader'
import { LiveMessage, MessageView } from './message.tsx'
import type { OpenChat } from '../open-chat.ts'
import { SideBySide } from './side-by-side.tsx'
import { TurnFailureView } from './turn-failure.tsx'

/** Closer to the end than this, the page follows the reply. */
const followPixels = 64

/** The active path of a chat. Earlier messages are loaded when the reader asks for them. */
export function Transcript({ chat }: { chat: OpenChat }): VNode {
  const scroller = useRef<HTMLDivElement>(null)
  const [isAtEnd, setAtEnd] = useState(true)
  const { messages, hasEarlier } = chat
  // The id alone: while a reply grows, only its own element is rendered again.
  const liveId = useComputed(() => chat.live.value?.id).value
  // A reply may be recorded before the last of it has been read.
  const recorded = withoutErased(chat, messages.value).filter(({ id }) => id !== liveId)
  const last = recorded.at(-1)

  useLayoutEffect(() => {
    if (isAtEnd) scrollToEnd(scroller.current)
  }, [messages.value, isAtEnd])
  // A reader who asks wants to see the reply. A turn of another tab moves nothing.
  useEffect(() => setAtEnd(true), [chat, chat.asked.value])

  return (
    <div
      class="transcript"
      ref={scroller}
      role="log"
      aria-live="off"
      aria-busy={chat.isBusy.value}
      aria-label="Messages"
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
        setAtEnd(scrollHeight - scrollTop - clientHeight < followPixels)
      }
    >
      {hasEarlier.value && (
        <p class="center">
          <button type="button" onClick={() => void loadEarlier(chat, scroller.current)}>
            Show earlier messages
          </button>
        </p>
      )}
      {recorded.map((message) =>
        isCompared(chat, message) ? (
          <SideBySide key={`replies to ${message.parentId}`} chat={chat} messageId={message.id} />
        ) : (
          <MessageView key={message.id} chat={chat} message={message} isLast={message === last && !liveId} />
        ),
      )}
      {liveId && <Live chat={chat} onPaint={() => isAtEnd && scrollToEnd(scroller.current)} />}
      {chat.failure.value && <TurnFailureView chat={chat} failure={chat.failure.value} />}
      {!isAtEnd && (
        <p class="jump">
          <button type="button" onClick={() => scrollToEnd(scroller.current)}>
            <Icon name="down" />
            Jump to latest
          </button>
        </p>
      )}
    </div>
  )
}

/** The messages before the first that is being erased. */
function withoutErased({ erasing }: OpenChat, messages: PathMessageJson[]): PathMessageJson[] {
  const index = messages.findIndex(({ id }) => erasing.value.has(id))
  return index === -1 ? messages : messages.slice(0, index)
}

function isCompared({ compared }: OpenChat, { role, parentId }: Pick<MessageJson, 'role' | 'parentId'>): boolean {
  return role === 'assistant' && compared.value !== undefined && parentId === compared.value
}

/** @param onPaint called when the reply has grown. */
function Live({ chat, onPaint }: { chat: OpenChat; onPaint: () => void }): VNode | undefined {
  const reply = chat.live.value
  useLayoutEffect(onPaint, [reply])
  if (!reply) return undefined
  if (!isCompared(chat, reply)) return <LiveMessage reply={reply} />
  return <SideBySide key={`replies to ${reply.parentId}`} chat={chat} messageId={reply.id} live={reply} />
}

function scrollToEnd(element: HTMLElement | null): void {
  if (element) element.scrollTop = element.scrollHeight
}

/** Keeps what the reader sees in its place while messages are added above. */
async function loadEarlier(chat: OpenChat, element: HTMLElement | null): Promise<void> {
  const below = element ? element.scrollHeight - element.scrollTop : 0
  await chat.loadEarlier()
  requestAnimationFrame(() => {
    if (element) element.scrollTop = element.scrollHeight - below
  })
}

/** The number of messages for the list of chats. */
export function turnsText(messages: number): string {
  return countText(Math.ceil(messages / 2), 'turn')
}
