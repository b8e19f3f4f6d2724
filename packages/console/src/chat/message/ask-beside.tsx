import type { VNode } from 'preact'
import { models } from '../models.ts'
import type { OpenChat } from '../open-chat.ts'

/** Asks another model for a reply, also while one is arriving. */
export function AskBeside({ chat, messageId }: { chat: OpenChat; messageId: string | undefined }): VNode | undefined {
  const canAsk = !chat.isBusy.value || chat.answered.value === messageId
  if (messageId === undefined || !canAsk) return undefined
  return (
    <select
      class="quiet beside"
      aria-label="Add a reply side by side"
      value=""
      onChange={({ currentTarget }) => {
        const { value } = currentTarget
        currentTarget.value = ''
        void chat.askBeside(messageId, value)
      }}
    >
      <option value="" disabled hidden>
        Side by side …
      </option>
      {models.value?.data.map(({ id, displayName }) => (
        <option key={id} value={id}>
          {displayName}
        </option>
      ))}
    </select>
  )
}
