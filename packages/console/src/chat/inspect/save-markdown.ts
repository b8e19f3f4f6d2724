import { call } from '../../api/http.ts'
import type { ConversationJson, PageJson, PathMessageJson } from '../../api/types.ts'
import { saveFile } from '../../shell/save-file.ts'
import { shownContent, textOf } from '../message/content-text.ts'
import { modelName } from '../models.ts'
import type { OpenChat } from '../open-chat.ts'

/** Saves the active path of a chat as Markdown: the text of each message below the name of its author. */
export async function saveMarkdown({ id, title }: OpenChat): Promise<void> {
  const path = `api/conversations/${encodeURIComponent(id)}`
  let page: PageJson<PathMessageJson> = (await call<ConversationJson>('GET', `${path}?limit=1000`)).path
  let messages = page.data
  while (page.hasMore) {
    page = await call('GET', `${path}/messages?before=${encodeURIComponent(messages[0]?.id ?? '')}&limit=1000`)
    messages = [...page.data, ...messages]
  }
  const texts = messages.map((message) => `## ${authorOf(message)}\n\n${textOf(shownContent(message))}\n`)
  saveFile(new Blob([`# ${title.value}\n\n${texts.join('\n')}`], { type: 'text/markdown' }), `${title.value}.md`)
}

function authorOf({ role, model }: PathMessageJson): string {
  return role === 'assistant' ? modelName(model) : 'You'
}
