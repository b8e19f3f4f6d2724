import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { send } from '../api/http.ts'
import type { ImportedJson } from '../api/types.ts'
import { countText } from '../format.ts'
import { notify } from '../shell/status.tsx'
import { exportAll } from './export-all.ts'

/** Saves every chat, and adds chats from files of this and other programs. */
export function YourData(): VNode {
  const failure = useSignal<string | undefined>(undefined)
  const add = async (file: File | undefined): Promise<void> => {
    if (!file) return
    failure.value = undefined
    try {
      const response = await send('api/conversations/import', { method: 'POST', body: file })
      const { data } = (await response.json()) as { data: ImportedJson[] }
      const added = data.filter(({ existed }) => !existed)
      notify(`Imported ${countText(added.length, 'chat')}`)
    } catch (error) {
      failure.value = `Cannot import ${file.name}: ${(error as Error).message}`
    }
  }
  return (
    <section class="group" aria-labelledby="data">
      <h2 id="data">Your data</h2>
      <p>Chats are stored on the machine of the server, in one file. The terminal shows the same ones.</p>
      <p class="row">
        <button type="button" onClick={() => void exportAll()}>
          Export every chat
        </button>
        <label class="button">
          <input
            type="file"
            class="visually-hidden"
            accept=".json,.jsonl,application/json"
            onChange={({ currentTarget }) => {
              void add(currentTarget.files?.[0])
              currentTarget.value = ''
            }}
          />
          <span>Import a file</span>
        </label>
      </p>
      <p class="soft small">
        Reads exports of this program, ChatGPT, Claude.ai, LibreChat and Open WebUI, Claude Code transcripts and
        messages of the API.
      </p>
      {failure.value && (
        <p class="failure" role="alert">
          {failure.value}
        </p>
      )}
    </section>
  )
}
