import { computed } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { PathMessageJson } from '../../api/types.ts'
import { timeText } from '../../format.ts'
import { route } from '../../shell/router.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import { Actions } from './actions.tsx'
import { Content } from './content.tsx'
import { contentOf, shownContent } from './content-text.ts'
import { Editor } from '../compose/editor.tsx'
import { editOf } from '../compose/unsent-text.ts'
import { modelName } from '../models.ts'
import type { OpenChat } from '../open-chat.ts'
import { AskBeside } from './ask-beside.tsx'
import { CostLine } from './ending/cost-line.tsx'
import { EndNote } from './ending/end-note.tsx'
import { ReplyFailure, failureOf } from './ending/reply-failure.tsx'

interface MessageProps {
  chat: OpenChat
  message: PathMessageJson
  isLast: boolean
  /** The reply is still arriving. */
  isLive: boolean
}

/** A message of the active path, with its versions and what can be done with it. */
export function MessageView({ chat, message, isLast, isLive }: MessageProps): VNode {
  const edit = useMemo(() => computed(() => editOf(chat.id, message.id)), [chat.id, message.id]).value
  const element = useRef<HTMLElement>(null)
  const isReply = message.role === 'assistant'
  const isTarget = route.value.name === 'chat' && route.value.message === message.id
  const kind = `message ${isReply ? 'reply' : 'question'}`
  useEffect(() => void (isTarget && element.current?.scrollIntoView({ block: 'center' })), [isTarget])
  return (
    <article
      class={`${kind}${isLive ? ' live' : ''}${isTarget ? ' target' : ''}`}
      aria-labelledby={`m${message.id}`}
      id={`message-${message.id}`}
      ref={element}
    >
      <Heading {...{ chat, message, isLive }} />
      {edit?.isOpen ? (
        <Editor chat={chat} message={message} texts={edit.texts} />
      ) : isLive && message.content.length === 0 ? (
        <p class="soft waiting">…</p>
      ) : (
        <Content content={shownContent(message)} isLive={isLive} isPlain={!isReply} />
      )}
      {!isLive && <Ending {...{ chat, message, isLast }} />}
    </article>
  )
}

function Heading({ chat, message, isLive }: Omit<MessageProps, 'isLast'>): VNode {
  return (
    <header>
      <h2 id={`m${message.id}`}>
        {authorOf(message)}
        <span class="soft small">, {isLive ? 'now' : timeText(message.createdAt)}</span>
      </h2>
      {isLive ? <AskBeside chat={chat} messageId={message.parentId} /> : <Versions chat={chat} message={message} />}
    </header>
  )
}

/** The author of a message, for its heading. */
export function authorOf(message: Pick<PathMessageJson, 'role' | 'model' | 'content'>): string {
  if (message.role === 'assistant') return modelName(message.model)
  return isOfTools(message) ? 'Tools' : 'You'
}

/** Whether the message has what tools returned, and nothing of the user. */
function isOfTools(message: Pick<PathMessageJson, 'content'>): boolean {
  const content = contentOf(message)
  return typeof content !== 'string' && content.length > 0 && content.every(({ type }) => type === 'tool_result')
}

/** How a message ended, its cost, and the actions below it. */
function Ending({ chat, message, isLast }: Omit<MessageProps, 'isLive'>): VNode {
  // The failure of the last turn stands below it, with a button to retry.
  const isShownBelow = isLast && chat.failure.value !== undefined
  const failure = isShownBelow ? undefined : failureOf(message)
  return (
    <>
      <EndNote {...message} />
      {failure && <ReplyFailure {...failure} />}
      <footer>
        {message.role === 'assistant' && <CostLine chat={chat} message={message} />}
        <Actions {...{ chat, message, isLast }} />
      </footer>
    </>
  )
}

/** `‹ 2/3 ›` beside a message that has other versions. */
function Versions({
  chat,
  message: { id, parentId, versions, role },
}: Pick<MessageProps, 'chat' | 'message'>): VNode | undefined {
  const index = versions.indexOf(id)
  if (versions.length < 2) return undefined
  const go = (step: number): void => {
    const target = versions[index + step]
    if (target) void chat.switchTo(target).then(() => focusVersions(target, step))
  }
  return (
    <div
      class="versions"
      role="group"
      aria-label={role === 'assistant' ? 'Versions of the reply' : 'Versions of the message'}
    >
      <button type="button" class="quiet" aria-label="Previous version" disabled={index === 0} onClick={() => go(-1)}>
        ‹
      </button>
      <span>
        {index + 1}/{versions.length}
      </span>
      <button
        type="button"
        class="quiet"
        aria-label="Next version"
        disabled={index === versions.length - 1}
        onClick={() => go(1)}
      >
        ›
      </button>
      {role === 'assistant' && (
        <button
          type="button"
          class="quiet"
          aria-label="Show the versions side by side"
          title="Side by side"
          disabled={chat.beside.value.length > 0}
          onClick={() => (chat.compared.value = parentId)}
        >
          <Icon name="columns" />
        </button>
      )}
    </div>
  )
}

/** The message is another element now: its buttons take the focus of those that are gone. */
function focusVersions(id: string, step: number): void {
  const buttons = document.querySelectorAll<HTMLButtonElement>(`#message-${id} .versions button`)
  const [previous, next] = buttons
  const wanted = step < 0 ? [previous, next] : [next, previous]
  wanted.find((button) => button && !button.disabled)?.focus()
}
