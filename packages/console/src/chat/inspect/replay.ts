import { call } from '../../api/http.ts'
import type { ConversationJson, PathMessageJson } from '../../api/types.ts'
import { navigate } from '../../shell/router.ts'
import { OpenChat } from '../open-chat.ts'
import { showChat } from '../shown-chat.ts'

/** Sends the request of a reply again, in a new chat with the messages that it answered. */
export async function replay(chat: OpenChat, { parentId, model }: PathMessageJson): Promise<void> {
  if (!parentId) throw new Error('it answers no message')
  const { id } = await chat.fork(parentId)
  const info = await call<ConversationJson>('GET', `api/conversations/${encodeURIComponent(id)}`)
  const copy = new OpenChat(info)
  showChat(copy)
  navigate(`c/${encodeURIComponent(id)}`)
  await copy.retry(info.head ?? undefined, model)
}
