import { jsonText } from '../../protocol/json/json-fault.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { ContentError } from '../errors.ts'
import type { Archive } from '../history/records.ts'
import { mapped, type Pausable } from '../in-slices.ts'
import { readMessages } from './formats/messages.ts'
import { repair } from './repair/repair.ts'
import { ImportNotes } from './report.ts'

/** Messages in the API's form, for a conversation that begins with them. Throws a `ContentError` if one cannot be sent. */
export function* readGivenMessages(messages: readonly MessageParam[], at: number): Pausable<Archive> {
  const notes = new ImportNotes()
  const list = yield* mapped(messages, (message, index) => {
    const json = jsonText(message, `import message ${index + 1}`, ContentError) ?? 'null'
    return { line: notes.at(index + 1), json, value: JSON.parse(json) as unknown }
  })
  const archive = yield* repair({ ...(yield* readMessages(list)), isOfApi: true }, at)
  const [note] = notes.report('messages', messages.length).notes
  if (note) throw new ContentError(`Cannot import message ${note.line}: ${note.reason}`)
  return archive
}
