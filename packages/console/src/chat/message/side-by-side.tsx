import { type Signal, useComputed } from '@preact/signals'
import type { VNode } from 'preact'
import type { MessageJson } from 'colloquy/conversation/reader'
import { call } from '../../api/http.ts'
import { durationText, moneyText, tokenText } from '../../format.ts'
import { useLoaded } from '../../shell/parts/loaded.tsx'
import { modelName } from '../models.ts'
import type { OpenChat } from '../open-chat.ts'
import { AskBeside } from './ask-beside.tsx'
import { Content } from './content.tsx'
import { contentOf } from './content-text.ts'
import { EndNote } from './ending/end-note.tsx'
import { ReplyFailure, failureOf } from './ending/reply-failure.tsx'

interface SideBySideProps {
  chat: OpenChat
  /** The message that the replies answer. */
  parentId: string
}

/** All replies to a message beside each other, with the one that is arriving. */
export function SideBySide({ chat, parentId }: SideBySideProps): VNode {
  const live = chat.live.value?.parentId === parentId ? chat.live.value : undefined
  const reply = chat.messages.value.find((message) => message.parentId === parentId) ?? live
  const path = `api/conversations/${encodeURIComponent(chat.id)}/messages/${encodeURIComponent(reply?.id ?? '')}/versions`
  const { value, placeholder } = useLoaded(
    () => call<{ data: MessageJson[] }>('GET', path),
    [path, chat.messages.value],
  )
  // The ids alone: a reply that arrives renders its own column.
  const besideIds = useComputed(() => chat.beside.value.map((reply) => reply.value?.id).join(' ')).value.split(' ')
  const arriving = [live?.id, ...besideIds]
  const recorded = value?.data.filter(({ id, state }) => !arriving.includes(id) && state !== 'failed') ?? []
  const active = new Set(chat.messages.value.map(({ id }) => id))
  return (
    <section class="side-by-side" aria-label="Replies side by side">
      {!value && placeholder}
      <div class="columns" tabIndex={0} role="group" aria-label="Replies">
        {recorded.map((message) => (
          <Column key={message.id} message={message} isActive={active.has(message.id) && !live}>
            <button
              type="button"
              class="quiet"
              disabled={chat.isBusy.value || active.has(message.id)}
              onClick={() => void chat.switchTo(message.id)}
            >
              {active.has(message.id) ? 'In use' : 'Use this one'}
            </button>
          </Column>
        ))}
        {live && <Column message={live} isActive />}
        {chat.beside.value.map((reply, index) => (
          <ArrivingColumn key={index} reply={reply} />
        ))}
      </div>
      <p class="row">
        <AskBeside chat={chat} messageId={parentId} />
        <button
          type="button"
          class="quiet"
          disabled={chat.beside.value.length > 0}
          onClick={() => (chat.compared.value = undefined)}
        >
          Show one reply
        </button>
      </p>
    </section>
  )
}

function ArrivingColumn({ reply }: { reply: Signal<MessageJson | undefined> }): VNode | undefined {
  return reply.value && <Column message={reply.value} isActive={false} />
}

interface ColumnProps {
  message: MessageJson
  isActive: boolean
  children?: VNode
}

function Column({ message, isActive, children }: ColumnProps): VNode {
  const isLive = message.state === 'pending' || message.state === 'streaming'
  const label = `side-${message.id}`
  const failure = failureOf(message)
  return (
    <article class={`message reply${isActive ? ' active' : ''}${isLive ? ' live' : ''}`} aria-labelledby={label}>
      <header>
        <h2 id={label}>{modelName(message.model)}</h2>
        {children}
      </header>
      {isLive && message.content.length === 0 ? (
        <p class="soft waiting">…</p>
      ) : (
        <Content content={contentOf(message)} isLive={isLive} />
      )}
      {!isLive && <EndNote {...message} />}
      {failure && <ReplyFailure {...failure} />}
      {!isLive && <footer class="small soft">{factsOf(message)}</footer>}
    </article>
  )
}

function factsOf({ usage, timing, costUsd, estimated }: MessageJson): string {
  return [
    ...(usage ? [`${tokenText(usage.output_tokens)} out`] : []),
    ...(timing ? [durationText(timing.totalMs)] : []),
    ...(usage ? [costUsd === undefined ? 'no price' : `${estimated ? '≈' : ''}${moneyText(costUsd)}`] : []),
  ].join(' · ')
}
