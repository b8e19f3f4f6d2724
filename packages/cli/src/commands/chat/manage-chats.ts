import type { Conversations, Damage } from 'colloquy/conversation'
import { confirm } from '../confirm.ts'
import { changesFrom, settingsFrom } from '../../chat/settings/settings.ts'
import { findChat, openSavedChats, shortId } from '../../chat/stored-chats.ts'
import { exportChat, omissionOf, recordOf, type TranscriptFormat } from '../../chat/content/transcript.ts'
import { engineKind } from '../../engine/choose.ts'
import { ExitCode, UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { ageText, countText, oneLine } from '../../format.ts'
import { readAll } from '../../process.ts'
import { systemReason } from '../../errors/system-error.ts'
import { writeDocument, writeErrorLine, writeJson, writeLine } from '../../terminal/output.ts'
import { programName } from '../../terminal/program-name.ts'
import { readText, textIn } from '../../read-text.ts'

/** The most notes about an import that are printed. */
const maxNotes = 20

/** Runs `colloquy chat list`. */
export function list(_words: readonly string[], flags: Flags): Promise<number> {
  return withChats(async (chats) => {
    const limit = limitOf(flags)
    const found = await chats.list({ limit: limit + 1 })
    if (flags.has('json')) return writeJson(found.slice(0, limit).map(withPlainDates), 2)
    if (found.length === 0) return writeLine(`No chats yet. ${programName} chat starts one.`)
    for (const { id, title, updatedAt, messages, shelf } of found.slice(0, limit)) {
      const facts = [ageText(updatedAt), countText(messages, 'message'), ...(shelf ? [shelf] : [])]
      writeLine(`${shortId(id)}  ${title ?? 'untitled'} · ${facts.join(' · ')}`)
    }
    if (found.length > limit) writeErrorLine(`There are more: --limit ${limit * 5} shows them.`)
  })
}

function limitOf(flags: Flags): number {
  const limit = flags.number('limit') ?? 20
  if (limit === 0) throw new UsageError('Cannot use --limit 0: it must be at least 1')
  return limit
}

/** Runs `colloquy chat search WORDS`. */
export function search(words: readonly string[], flags: Flags): Promise<number> {
  if (words.join('').trim() === '')
    throw new UsageError(`Cannot search: give the words, as in ${programName} chat search trip japan`)
  return withChats(async (chats) => {
    const found = await chats.search(words.join(' '), { limit: limitOf(flags) })
    if (flags.has('json')) return writeJson(found.map(withPlainDates), 2)
    for (const { conversationId, title, role, excerpt } of found) {
      writeLine(`${shortId(conversationId)}  ${title ?? 'untitled'} · ${role}: ${oneLine(excerpt)}`)
    }
    if (found.length === 0) writeErrorLine(`No message contains ${words.join(' ')}.`)
  })
}

/** Runs `colloquy chat show ID`. */
export function show(words: readonly string[], flags: Flags): Promise<number> {
  return withChats(async (chats) => {
    const { id } = await findChat(chats, queryOf('show', words))
    const chat = await chats.open(id)
    if (flags.has('json')) return writeJson(recordOf(chat), 2)
    writeDocument(await exportChat(chats, chat, 'md'))
  })
}

/** Runs `colloquy chat export ID`. */
export function exportOne(words: readonly string[], flags: Flags): Promise<number> {
  return withChats(async (chats) => {
    const { id } = await findChat(chats, queryOf('export', words))
    const format = (flags.text('format') ?? 'md') as TranscriptFormat
    const chat = await chats.open(id)
    writeDocument(await exportChat(chats, chat, format))
    const omission = await omissionOf(chat, format)
    if (omission !== undefined) writeErrorLine(omission)
  })
}

/** Runs `colloquy chat import FILE`. The file can have several chats. */
export function importFile([path]: readonly string[], flags: Flags): Promise<number> {
  if (path === undefined)
    throw new UsageError(`Cannot import: give a file, as in ${programName} chat import conversations.json`)
  return withChats(async (chats) => {
    const engine = engineKind(flags)
    const defaults = settingsFrom(flags, engine)
    const imported = await chats.importAll(await textOf(path), { ...changesFrom(flags, defaults, engine), defaults })
    if (flags.has('json')) return writeJson(imported, 2)
    for (const { id, title, report, existed } of imported) {
      const facts = `${report.format} · ${countText(report.messages, 'message')}${existed ? ' · imported before' : ''}`
      writeLine(`${shortId(id)}  ${title ?? 'untitled'} · ${facts}`)
    }
    const notes = imported.flatMap(({ report }) => report.notes)
    const hidden = imported.reduce((sum, { report }) => sum + report.moreNotes, notes.length) - maxNotes
    for (const { line, kind, reason } of notes.slice(0, maxNotes)) writeErrorLine(`line ${line} ${kind}: ${reason}`)
    if (hidden > 0) writeErrorLine(`${countText(hidden, 'more line')} repaired or skipped: --json shows them`)
  })
}

/** Runs `colloquy chat rename ID TITLE`. */
export function rename([query, ...words]: readonly string[]): Promise<number> {
  const title = words.join(' ')
  if (query === undefined || title === '') throw new UsageError('Cannot rename: give a chat and its new title')
  return withChats(async (chats) => {
    const { id } = await findChat(chats, query)
    const chat = await chats.open(id)
    await chat.rename(title)
    writeLine(`${shortId(id)}  ${title}`)
  })
}

/** Runs `colloquy chat check [ID]`. The exit code is 1 if something is damaged. */
export async function check(words: readonly string[], flags: Flags): Promise<number> {
  const damages: Damage[] = []
  await withChats(async (chats) => {
    const id = words.length === 0 ? undefined : (await findChat(chats, words.join(' '))).id
    for await (const damage of chats.check(id)) {
      damages.push(damage)
      if (!flags.has('json')) writeLine(damageLine(damage))
    }
  })
  if (flags.has('json')) writeJson(damages, 2)
  else if (damages.length === 0) writeLine('No damage found.')
  return damages.length === 0 ? ExitCode.ok : ExitCode.failed
}

function damageLine({ conversationId, messageId, problem }: Damage): string {
  if (conversationId === undefined) return `database  ${problem}`
  return `${shortId(conversationId)}  ${messageId === undefined ? '' : `message ${messageId}: `}${problem}`
}

/** Runs `colloquy chat delete ID`. */
export function remove(words: readonly string[], flags: Flags): Promise<number> {
  return withChats(async (chats) => {
    const { id, title } = await findChat(chats, queryOf('delete', words))
    const name = `${shortId(id)} “${title ?? 'untitled'}”`
    if (!flags.has('yes') && !(await confirm(`Delete ${name} for good? [y/N] `)))
      return writeLine('Nothing was deleted.')
    await chats.delete(id)
    writeLine(`Deleted ${name}.`)
  })
}

async function textOf(path: string): Promise<string> {
  try {
    return path === '-' ? textIn(await readAll(process.stdin)) : readText(path)
  } catch (error) {
    throw new UsageError(`Cannot import ${path}: ${systemReason(error)}`)
  }
}

async function withChats(action: (chats: Conversations) => Promise<void>): Promise<number> {
  const chats = await openSavedChats()
  try {
    await action(chats)
    return ExitCode.ok
  } finally {
    await chats.close()
  }
}

function queryOf(action: string, words: readonly string[]): string {
  if (words.join('').trim() === '')
    throw new UsageError(`Cannot ${action} a chat without its id: ${programName} chat list shows them`)
  return words.join(' ')
}

function withPlainDates<Row extends object>(row: Row): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Date ? value.toISOString() : value,
    ]),
  )
}
