import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { PathMessageJson } from '../../api/types.ts'
import { copyText } from '../../shell/copy.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import { navigate } from '../../shell/router.ts'
import { beginEdit } from '../compose/editor.tsx'
import { editOf } from '../compose/unsent-text.ts'
import { inspect } from '../inspect/inspected.ts'
import { models } from '../models.ts'
import type { OpenChat } from '../open-chat.ts'
import { type AnyBlock, contentOf, isTextResult, pretty, resultText, textOf } from './content-text.ts'

interface ActionsProps {
  chat: OpenChat
  message: PathMessageJson
  isLast: boolean
}

/** The actions on a message. On a narrow screen the rarer ones are behind a button. */
export function Actions({ chat, message, isLast }: ActionsProps): VNode {
  const [isOpen, setOpen] = useState(false)
  const isReply = message.role === 'assistant'
  const isBusy = chat.isBusy.value
  const canContinue = isReply && isLast && (message.state === 'interrupted' || message.stopReason === 'max_tokens')
  return (
    <div class={`actions${isOpen ? ' open' : ''}`} role="group" aria-label={isReply ? 'Reply' : 'Message'}>
      {canContinue && (
        <button type="button" disabled={isBusy} onClick={() => void chat.continue()}>
          Continue
        </button>
      )}
      <button
        type="button"
        class="quiet"
        data-copy={isReply ? 'reply' : 'question'}
        onClick={() => void copyText(copiedText(contentOf(message)))}
      >
        <Icon name="copy" />
        Copy
      </button>
      {isReply && <RetryWith chat={chat} message={message} isDisabled={isBusy} />}
      <button
        type="button"
        class={isReply ? 'quiet minor edit' : 'quiet edit'}
        disabled={isBusy}
        data-edit={isReply ? undefined : ''}
        onClick={() => beginEdit(chat, message)}
      >
        <Icon name="edit" />
        {editOf(chat.id, message.id) ? 'Edit draft' : 'Edit'}
      </button>
      <button type="button" class="quiet minor" onClick={() => void branch(chat, message.id)}>
        <Icon name="branch" />
        Branch
      </button>
      {isReply && message.usage && (
        <button type="button" class="quiet minor" onClick={() => inspect(message.id)}>
          <Icon name="inspect" />
          Request
        </button>
      )}
      <button
        type="button"
        class="quiet only-narrow"
        aria-label="More"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
    </div>
  )
}

/** The text of a message. One without text has that of its tool results, or its blocks as JSON. */
function copiedText(content: string | AnyBlock[]): string {
  const text = textOf(content)
  if (text !== '' || typeof content === 'string') return text
  return content.map((block) => (isTextResult(block) ? resultText(block) : pretty(block))).join('\n\n')
}

/** Opens a new chat that begins with the messages up to this one. */
async function branch(chat: OpenChat, messageId: string): Promise<void> {
  const { id } = await chat.fork(messageId)
  navigate(`c/${encodeURIComponent(id)}`)
}

interface RetryProps {
  chat: OpenChat
  message: PathMessageJson
  isDisabled: boolean
}

const beside = 'beside '

/** Retries with the same model, or with one from the list, in place of the reply or beside it. */
function RetryWith({ chat, message, isDisabled }: RetryProps): VNode {
  const choose = (value: string): void => {
    const isBeside = value.startsWith(beside)
    if (isBeside && message.parentId) void chat.askBeside(message.parentId, value.slice(beside.length))
    else void chat.retry(message.parentId, value)
  }
  // A long chat has many of these lists, and few of them are opened.
  const [isNear, setNear] = useState(false)
  const near = (): void => setNear(true)
  const all = isNear ? (models.value?.data ?? []) : []
  return (
    <span class="retry">
      <button type="button" class="quiet" disabled={isDisabled} onClick={() => void chat.retry(message.parentId)}>
        <Icon name="retry" />
        Retry
      </button>
      <select
        class="quiet"
        aria-label="Retry with another model"
        disabled={isDisabled}
        value=""
        onFocus={near}
        onPointerEnter={near}
        onPointerDown={near}
        onChange={({ currentTarget }) => {
          const { value } = currentTarget
          currentTarget.value = ''
          choose(value)
        }}
      >
        {/* Not disabled: a browser selects the first option that is not, and shows nothing if there is none. */}
        <option value="" hidden>
          with …
        </option>
        <optgroup label="In its place">
          {all.map(({ id, displayName }) => (
            <option key={id} value={id}>
              {displayName}
            </option>
          ))}
        </optgroup>
        <optgroup label="Side by side">
          {all.map(({ id, displayName }) => (
            <option key={id} value={beside + id}>
              {displayName}
            </option>
          ))}
        </optgroup>
      </select>
    </span>
  )
}
