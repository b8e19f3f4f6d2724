import type { Conversations } from 'colloquy/conversation'
import type { Flags } from '../command.ts'
import { ExitCode, UsageError } from '../exit.ts'
import { findChat, openKeptChats, shortId } from '../chat/session.ts'
import { ageText } from '../time.ts'
import { exportChat, recordOf, type TranscriptFormat } from '../chat/transcript.ts'

type Verb = (chats: Conversations, words: readonly string[], flags: Flags) => Promise<void>

const verbs: Record<string, Verb> = { list, search, show, export: exportOne, rename, delete: remove }

/** `colloquy chat list`, `search`, `show`, `export`, `rename`, `delete`. */
export async function chats([verb = '', ...words]: readonly string[], flags: Flags): Promise<number> {
  const opened = await openKeptChats()
  try {
    await verbs[verb]?.(opened, words, flags)
    return ExitCode.ok
  } finally {
    await opened.close()
  }
}

async function list(chats: Conversations, _words: readonly string[], flags: Flags): Promise<void> {
  const limit = flags.number('limit') ?? 20
  const found = await chats.list({ limit: limit + 1 })
  if (flags.has('json')) return json(found.slice(0, limit).map(plainDates))
  if (found.length === 0) return write('No chats yet. colloquy chat begins one.')
  for (const { id, title, updatedAt, messages } of found.slice(0, limit)) {
    write(`${shortId(id)}  ${title ?? 'untitled'} · ${ageText(updatedAt)} · ${messages} messages`)
  }
  if (found.length > limit) process.stderr.write(`There are more: --limit ${limit * 5} shows them.\n`)
}

async function search(chats: Conversations, words: readonly string[], flags: Flags): Promise<void> {
  if (words.length === 0) throw new UsageError('Cannot search: give the words, as in colloquy chat search trip japan')
  const found = await chats.search(words.join(' '), { limit: flags.number('limit') ?? 20 })
  if (flags.has('json')) return json(found.map(plainDates))
  for (const { conversationId, title, role, excerpt } of found) {
    write(`${shortId(conversationId)}  ${title ?? 'untitled'} · ${role}: ${excerpt.replaceAll(/\s+/g, ' ')}`)
  }
  if (found.length === 0) process.stderr.write(`No message has ${words.join(' ')}.\n`)
}

async function show(chats: Conversations, words: readonly string[], flags: Flags): Promise<void> {
  const { id } = await findChat(chats, wordsOf('show', words))
  const chat = await chats.open(id)
  if (flags.has('json')) return json(recordOf(chat))
  process.stdout.write(exportChat(chat, 'md'))
}

async function exportOne(chats: Conversations, words: readonly string[], flags: Flags): Promise<void> {
  const { id } = await findChat(chats, wordsOf('export', words))
  const format = (flags.text('format') ?? 'md') as TranscriptFormat
  process.stdout.write(exportChat(await chats.open(id), format))
}

async function rename(chats: Conversations, [query, ...title]: readonly string[]): Promise<void> {
  if (query === undefined || title.length === 0) throw new UsageError('Cannot rename: give a chat and its new title')
  const { id } = await findChat(chats, query)
  const chat = await chats.open(id)
  await chat.rename(title.join(' '))
  write(`${shortId(id)}  ${title.join(' ')}`)
}

async function remove(chats: Conversations, words: readonly string[], flags: Flags): Promise<void> {
  const { id, title } = await findChat(chats, wordsOf('delete', words))
  const name = `${shortId(id)} “${title ?? 'untitled'}”`
  if (!flags.has('yes') && !(await confirm(`Erase ${name} for good? [y/N] `))) return write('Nothing was erased.')
  await chats.delete(id)
  write(`Erased ${name}.`)
}

function wordsOf(verb: string, words: readonly string[]): string {
  if (words.length === 0) throw new UsageError(`Cannot ${verb} a chat without its id: colloquy chat list shows them`)
  return words.join(' ')
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('Cannot ask before erasing without a terminal: add --yes')
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(?:es)?$/i.test((await lines.question(question)).trim())
  } finally {
    lines.close()
  }
}

function plainDates<Row extends object>(row: Row): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Date ? value.toISOString() : value,
    ]),
  )
}

function json(value: unknown): void {
  write(JSON.stringify(value, undefined, 2))
}

function write(line: string): void {
  process.stdout.write(`${line}\n`)
}
