import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { send } from '../api/http.ts'
import type { ImportedJson } from '../api/types.ts'
import { countText, visibleText } from '../format.ts'
import { exportAll } from './export-all.ts'

/** Saves every chat, and adds chats from files of this and other programs. */
export function YourData(): VNode {
  const outcome = useSignal<Outcome | undefined>(undefined)
  const isBusy = useSignal(false)
  const during = async (work: Promise<unknown>): Promise<void> => {
    isBusy.value = true
    await work
    isBusy.value = false
  }
  const add = async (files: readonly File[]): Promise<void> => {
    outcome.value = undefined
    for (const file of files) outcome.value = await addedTo(outcome.value ?? nothing, file)
  }
  return (
    <section class="group" aria-labelledby="data">
      <h2 id="data">Your data</h2>
      <p>Chats are stored on the machine of the server, in one file. The terminal shows the same ones.</p>
      <p class="row">
        <button type="button" disabled={isBusy.value} onClick={() => void during(exportAll())}>
          Export every chat
        </button>
        <label class="button">
          <input
            type="file"
            class="visually-hidden"
            multiple
            disabled={isBusy.value}
            accept=".json,.jsonl,application/json"
            onChange={({ currentTarget }) => {
              void during(add([...(currentTarget.files ?? [])]))
              currentTarget.value = ''
            }}
          />
          <span>{isBusy.value ? 'Working …' : 'Import files'}</span>
        </label>
      </p>
      <p class="soft small">
        Reads exports of this program, ChatGPT, Claude.ai, LibreChat and Open WebUI, Claude Code transcripts and
        messages of the API.
      </p>
      {outcome.value && <OutcomeView {...outcome.value} />}
    </section>
  )
}

/** The result of the files of an import. */
interface Outcome {
  added: number
  existed: number
  /** The changes that were needed, and the parts that were left out. */
  notes: string[]
  failures: string[]
}

const nothing: Outcome = { added: 0, existed: 0, notes: [], failures: [] }
/** The most notes that are shown. */
const maxNotes = 20

/** Imports a file. Resolves to the outcome with its own added. */
async function addedTo(before: Outcome, file: File): Promise<Outcome> {
  const { added, existed, notes, failures } = before
  try {
    const response = await send('api/conversations/import', { method: 'POST', body: file })
    const { data } = (await response.json()) as { data: ImportedJson[] }
    const isNew = data.filter((chat) => !chat.existed)
    const noted = isNew.flatMap(({ report }) => report.notes)
    return {
      added: added + isNew.length,
      existed: existed + data.length - isNew.length,
      notes: [...notes, ...noted.map(({ line, kind, reason }) => `${file.name}, line ${line}, ${kind}: ${reason}`)],
      failures,
    }
  } catch (error) {
    return { ...before, failures: [...failures, `Cannot import ${file.name}: ${(error as Error).message}`] }
  }
}

function OutcomeView({ added, existed, notes, failures }: Outcome): VNode {
  return (
    <>
      <p role="status">
        Imported {countText(added, 'chat')}
        {existed > 0 && `, ${existed} ${existed === 1 ? 'was' : 'were'} there already`}
        {notes.length > 0 && `, with ${countText(notes.length, 'change')}`}
      </p>
      {notes.length > 0 && (
        <ul class="small soft">
          {notes.slice(0, maxNotes).map((note, index) => (
            <li key={index}>{visibleText(note)}</li>
          ))}
          {notes.length > maxNotes && <li>and {notes.length - maxNotes} more</li>}
        </ul>
      )}
      {failures.map((failure) => (
        <p key={failure} class="failure" role="alert">
          {visibleText(failure)}
        </p>
      ))}
    </>
  )
}
