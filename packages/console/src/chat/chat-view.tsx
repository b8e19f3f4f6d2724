import { type Signal, useSignal } from '@preact/signals'
import type { ComponentType, VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { ApiFailure, call, connection } from '../api/http.ts'
import type { ConversationJson } from '../api/types.ts'
import { Suspended } from '../shell/parts/suspended.tsx'
import { chatId, navigate, route } from '../shell/router.ts'
import { notify } from '../shell/status.tsx'
import { isInspectorOpen, isListOpen } from '../shell/panels.ts'
import { ChatHeader } from './chat-header.tsx'
import { ChatList } from './list/chat-list.tsx'
import { loadChats } from './list/chats.ts'
import { Composer } from './compose/composer.tsx'
import { draftOf, setDraft } from './compose/unsent-text.ts'
import { Content } from './message/content.tsx'
import type { AnyBlock } from './message/content-text.ts'
import { newChatModel, newChatSettings } from './new-chat.ts'
import { OpenChat } from './open-chat.ts'
import { moves, openChat, showChat } from './shown-chat.ts'
import { Transcript, Waiting } from './message/transcript.tsx'
import { Welcome } from './welcome.tsx'

/** The chat of the address: the list beside it, its messages, the composer, and the inspector on demand. */
export function ChatView(): VNode {
  const { id, message } = route.value.name === 'chat' ? route.value : {}
  const failure = useSignal<Error | undefined>(undefined)
  const { state } = connection.value
  // A chat that could not be read is read when the server is back, and one that was deleted when it is brought back.
  useEffect(() => {
    failure.value = undefined
    void show(id, message).catch((error: Error) => id === chatId.peek() && (failure.value = error))
  }, [id, message, state, moves.value])
  const { begun, refused, start } = useFirstMessage(id)
  const chat = openChat.value?.id === id ? openChat.value : undefined
  return (
    <div
      class={`chat-view${isListOpen.value ? ' list-open' : ''}${isInspectorOpen.value && chat ? ' inspector-open' : ''}`}
    >
      <ChatList />
      <main id="main" tabIndex={-1}>
        {chat && <ChatHeader chat={chat} />}
        {chat ? (
          <Transcript chat={chat} />
        ) : (
          <div class="transcript">
            {id ? <Missing failure={failure.value} /> : begun.value ? <Begun content={begun.value} /> : <Welcome />}
          </div>
        )}
        {!id && refused.value && (
          <div class="failure" role="alert">
            <p>{refused.value.message}</p>
            <p>Your message is in the field below.</p>
          </div>
        )}
        <Composer
          draftId={id ?? 'new'}
          chatId={chat?.id}
          isReady={id === undefined || chat !== undefined}
          isBusy={chat ? chat.isBusy.value : begun.value !== undefined}
          isStopping={chat?.isStopping.value}
          onSend={(content) => (chat ? sendTo(chat, content) : start(content))}
          onStop={() => void chat?.stop()}
        />
      </main>
      {chat && isInspectorOpen.value && (
        <Suspended load={loadInspector} frame={(content) => <aside class="inspector">{content}</aside>} />
      )}
    </div>
  )
}

interface FirstMessage {
  /** The message while its chat is being created. */
  begun: Signal<string | AnyBlock[] | undefined>
  /** Why the chat could not be created. */
  refused: Signal<Error | undefined>
  /** Resolves to the id of the field to which a message returns that was refused. */
  start: (content: string | AnyBlock[]) => Promise<string | undefined>
}

/** Creates a chat with its first message. @param id the chat of the address. */
function useFirstMessage(id: string | undefined): FirstMessage {
  const begun = useSignal<string | AnyBlock[] | undefined>(undefined)
  const refused = useSignal<Error | undefined>(undefined)
  useEffect(() => void (refused.value = undefined), [id])
  const start = async (content: string | AnyBlock[]): Promise<string | undefined> => {
    begun.value = content
    refused.value = undefined
    try {
      const chat = await create()
      begun.value = undefined
      return await begin(chat, content)
    } catch (error) {
      begun.value = undefined
      refused.value = error as Error
      return 'new'
    }
  }
  return { begun, refused, start }
}

async function loadInspector(): Promise<ComponentType> {
  const { Inspector } = await import('./inspect/inspector.tsx')
  return () => openChat.value && <Inspector chat={openChat.value} />
}

/** Shows a chat, and one of its messages if the address names it. */
async function show(id: string | undefined, message: string | undefined): Promise<void> {
  // The address may have changed since this was asked for.
  if (id !== chatId.peek()) return
  const open = openChat.peek()
  if (open && open.id === id) return message === undefined ? undefined : reveal(open, message)
  showChat(undefined)
  if (id === undefined) return
  const info = await call<ConversationJson>('GET', `api/conversations/${encodeURIComponent(id)}?limit=50`)
  // The reader may have gone to another chat meanwhile.
  if (id !== chatId.peek()) return
  const chat = new OpenChat(info)
  if (message !== undefined) await reveal(chat, message)
  if (id === chatId.peek()) showChat(chat)
  else chat.close()
}

async function reveal(chat: OpenChat, message: string): Promise<void> {
  await chat.reveal(message).catch(() => notify('The message cannot be shown: it was erased, or is in another chat.'))
}

async function create(): Promise<OpenChat> {
  const settings = { ...newChatSettings.value, ...(newChatModel.value && { model: newChatModel.value }) }
  return new OpenChat(await call<ConversationJson>('POST', 'api/conversations', { settings }))
}

/** Resolves to the id of the chat if it refuses the message. */
async function sendTo(chat: OpenChat, content: string | AnyBlock[]): Promise<string | undefined> {
  if (chat.info.value.waitingCalls.length > 0) {
    notify('Your message was not sent: the reply waits for the results above it.')
    return chat.id
  }
  return (await chat.send(content)) ? undefined : chat.id
}

/** Shows a new chat and sends its first message. */
async function begin(chat: OpenChat, content: string | AnyBlock[]): Promise<string | undefined> {
  showChat(chat)
  navigate(`c/${encodeURIComponent(chat.id)}`)
  // Text that was typed meanwhile belongs to the chat.
  setDraft(chat.id, draftOf('new'))
  setDraft('new', '')
  // The list shows the chat at once. Its title comes with the first message.
  void loadChats()
  const refusedBy = await sendTo(chat, content)
  void loadChats()
  return refusedBy
}

/** The first message while its chat is being created. */
function Begun({ content }: { content: string | AnyBlock[] }): VNode {
  return (
    <div>
      <article class="message question" aria-label="Your message">
        <Content content={content} isLive={false} isPlain />
      </article>
      <Waiting />
    </div>
  )
}

function Missing({ failure }: { failure: Error | undefined }): VNode {
  if (!failure) return <p class="message soft loading">Loading …</p>
  const isGone = failure instanceof ApiFailure && failure.status === 404
  return (
    <div class="empty">
      <h1>{isGone ? 'This chat is not here' : 'The chat cannot be read'}</h1>
      <p>{isGone ? 'It was deleted, or it is in another store.' : failure.message}</p>
      <p>
        <a class="button" href="./">
          New chat
        </a>
      </p>
    </div>
  )
}
