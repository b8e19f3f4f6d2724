import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { MessageJson } from 'colloquy/conversation/reader'
import type { PathMessageJson } from '../../api/types.ts'
import { durationText, moneyText, timeText, tokenText } from '../../format.ts'
import { copyText } from '../../shell/copy.ts'
import { navigate, route } from '../../shell/router.ts'
import { Content } from './content.tsx'
import { contentOf, textOf } from './content-text.ts'
import { CostLines } from './cost-lines.tsx'
import { Editor } from './editor.tsx'
import { models } from '../models.ts'
import type { OpenChat } from '../open-chat.ts'

interface MessageProps {
  chat: OpenChat
  message: PathMessageJson
  isLast: boolean
}

/** A message of the active path, with its versions and what can be done with it. */
export function MessageView({ chat, message, isLast }: MessageProps): VNode {
  const [isEditing, setEditing] = useState(false)
  const isReply = message.role === 'assistant'
  const content = contentOf(message)
  const isTarget = route.value.name === 'chat' && route.value.message === message.id
  return (
    <article
      class={`message ${isReply ? 'reply' : 'question'}${isTarget ? ' target' : ''}`}
      aria-labelledby={`m${message.id}`}
      id={`message-${message.id}`}
      ref={(element) => void (isTarget && element?.scrollIntoView({ block: 'center' }))}
    >
      <header>
        <h2 id={`m${message.id}`}>
          {isReply ? (message.model ?? 'Reply') : 'You'}
          <span class="soft small">, {timeText(message.createdAt)}</span>
        </h2>
        <Versions chat={chat} message={message} />
      </header>
      {isEditing ? (
        <Editor chat={chat} message={message} onClose={() => setEditing(false)} />
      ) : (
        <Content content={content} isPlain={!isReply} />
      )}
      {message.state === 'interrupted' && <p class="stopped">■ {message.error ? 'Cut off, kept' : 'Stopped, kept'}</p>}
      <footer>
        {isReply && <CostLine chat={chat} message={message} />}
        <Actions {...{ chat, message, isLast }} onEdit={() => setEditing(true)} />
      </footer>
    </article>
  )
}

/** The reply that is arriving. */
export function LiveMessage({ reply }: { reply: MessageJson }): VNode {
  return (
    <article class="message reply live" aria-labelledby="live">
      <header>
        <h2 id="live">
          {reply.model ?? 'Reply'}
          <span class="soft small">, now</span>
        </h2>
      </header>
      {reply.content.length > 0 ? <Content content={contentOf(reply)} isLive /> : <p class="soft waiting">…</p>}
    </article>
  )
}

/** `‹ 2/3 ›` beside a message that has other versions. */
function Versions({
  chat,
  message: { id, versions, role },
}: Pick<MessageProps, 'chat' | 'message'>): VNode | undefined {
  const index = versions.indexOf(id)
  if (versions.length < 2) return undefined
  const go = (step: number): void => {
    const target = versions[index + step]
    if (target) void chat.switchTo(target)
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
    </div>
  )
}

/** `1.2k in · 900 out · $0.0329`, and the arithmetic behind it. */
function CostLine({ chat, message }: Pick<MessageProps, 'chat' | 'message'>): VNode | undefined {
  const [isOpen, setOpen] = useState(false)
  const { usage, costUsd, estimated } = message
  if (!usage) return undefined
  const cached = usage.cache_read_input_tokens ?? 0
  const parts = [
    `${tokenText(usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0))} in`,
    ...(cached > 0 ? [`${tokenText(cached)} cached`] : []),
    `${tokenText(usage.output_tokens)} out`,
    ...(chat.times.get(message.id) === undefined ? [] : [durationText(chat.times.get(message.id) ?? 0)]),
  ]
  return (
    <div class="cost">
      <span>{parts.join(' · ')} · </span>
      <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {costUsd === undefined ? 'no price' : `${estimated ? '≈' : ''}${moneyText(costUsd)}`} <span>why?</span>
      </button>
      {isOpen && <CostLines chatId={chat.id} messageId={message.id} />}
    </div>
  )
}

function Actions({ chat, message, isLast, onEdit }: MessageProps & { onEdit: () => void }): VNode {
  const isReply = message.role === 'assistant'
  const isBusy = chat.isBusy.value
  const canContinue = isReply && isLast && (message.state === 'interrupted' || message.stopReason === 'max_tokens')
  return (
    <div class="actions">
      {canContinue && (
        <button type="button" class="quiet" disabled={isBusy} onClick={() => void chat.continue()}>
          Continue
        </button>
      )}
      {isReply && <RetryWith chat={chat} message={message} isDisabled={isBusy} />}
      <button type="button" class="quiet" disabled={isBusy} data-edit={isReply ? undefined : ''} onClick={onEdit}>
        Edit
      </button>
      <button
        type="button"
        class="quiet"
        data-copy={isReply ? 'reply' : 'question'}
        onClick={() => void copyText(textOf(contentOf(message)))}
      >
        Copy
      </button>
      <button type="button" class="quiet" onClick={() => void branch(chat, message.id)}>
        Branch
      </button>
    </div>
  )
}

/** Opens a new chat that begins with the messages up to this one. */
async function branch(chat: OpenChat, messageId: string): Promise<void> {
  const { id } = await chat.fork(messageId)
  navigate(`/c/${encodeURIComponent(id)}`)
}

/** Retries with the same model, or with one from the list. */
function RetryWith({
  chat,
  message,
  isDisabled,
}: {
  chat: OpenChat
  message: PathMessageJson
  isDisabled: boolean
}): VNode {
  return (
    <span class="retry">
      <button type="button" class="quiet" disabled={isDisabled} onClick={() => void chat.retry(message.parentId)}>
        Retry
      </button>
      <select
        class="quiet"
        aria-label="Retry with another model"
        disabled={isDisabled}
        value=""
        onChange={({ currentTarget }) => {
          const model = currentTarget.value
          currentTarget.value = ''
          void chat.retry(message.parentId, model)
        }}
      >
        <option value="" disabled hidden>
          with …
        </option>
        {models.value?.data.map(({ id, displayName }) => (
          <option key={id} value={id}>
            {displayName}
          </option>
        ))}
      </select>
    </span>
  )
}
