import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { script } from '../engines/script.ts'
import type { Engine } from '../protocol/types/engine.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { MessageContentParam, MessageParam } from '../protocol/types/params.ts'
import { type Conversation, openConversations } from './index.ts'
import { sqliteStore } from './stores/sqlite/store.ts'
import { seed, seeded } from '../../../../test/seeded.ts'

/** How many processes are killed at least. Default 8; `.ci/run` sets 200. */
const kills = Number(process.env.COLLOQUY_KILLS ?? 8)

const [, , path, id, first] = process.argv
if (path !== undefined && id !== undefined) await talk(path, id, Number(first))
else
  test(`${kills} kills at random instants lose, double and break nothing (seed ${seed})`, async () => {
    const instant = seeded()
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    after(() => rmSync(folder, { recursive: true }))
    const store = sqliteStore(join(folder, 'colloquy.db'))
    const conversations = openConversations({ engine: script([{ reply: 'still here', times: 10_000 }]), store })
    const { id } = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
    const talker = new Talker(join(folder, 'colloquy.db'), id)
    let longestMs = 60
    let isInterrupted = false
    // On a loaded machine more kills come too early or too late.
    for (let kill = 0; kill < kills || !isInterrupted || talker.ended.size === 0; kill++) {
      const endedBefore = talker.ended.size
      await talker.talkAndDie(instant() * longestMs)
      longestMs = talker.ended.size > endedBefore ? Math.max(60, longestMs / 2) : longestMs * 1.5
      const conversation = await conversations.open(id)
      const shown = conversation.messages.map(({ role, content, state }) => ({ role, state, text: textOf(content) }))
      isInterrupted ||= shown.some(({ state }) => state === 'interrupted')

      // Every message is there once, in order, and so is every reply that had ended.
      const questions = shown
        .filter(({ role, text }) => role === 'user' && text.startsWith('question'))
        .map(({ text }) => text)
      assert.deepEqual(questions, [...new Set(questions)])
      for (const each of talker.begun) assert.ok(questions.includes(each), `${each} was begun and is lost`)
      for (const [number, text] of talker.ended) {
        assert.equal(
          shown.filter((message) => message.role === 'assistant' && message.text === text).length,
          1,
          `reply ${number}`,
        )
      }
      // A reply that had not ended is the beginning of the complete one.
      for (const { role, state, text } of shown) {
        if (role === 'assistant' && state === 'interrupted') assert.ok(wholeReply(text).startsWith(text), text)
      }
      // No reply is left open, every tool call that is sent has its result, and the conversation continues.
      assert.ok(shown.every(({ state }) => state === 'committed' || state === 'interrupted'))
      assert.equal((await conversation.send(nextContent(conversation, 'and now?'))).text, 'still here')
      checkPairs(conversation.preview().messages)
    }
    await store.close()
  })

/** The process that is killed: it sends one question after the other, and prints what it has done. */
async function talk(path: string, id: string, first: number): Promise<void> {
  const conversations = openConversations({ engine: slow, store: sqliteStore(path), journalMs: 2 })
  const conversation = await conversations.open(id)
  say('ready')
  for (let number = first; ; number++) {
    const content = nextContent(conversation, `question ${number}`)
    const tell = (what: string): void => {
      if (typeof content === 'string') say(`${what} ${number}`)
    }
    const turn = conversation.send(content)
    for await (const _ of turn) {
      tell('begun')
      break
    }
    await turn
    tell('ended')
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Answers a question with its text, now and then after a tool call. */
async function* slow(...[{ messages }, context]: Parameters<Engine>): AsyncGenerator<MessageStreamEvent | PingEvent> {
  const { content } = messages.at(-1)!
  const number = Number(/^question (\d+)/.exec(textOf(content))?.[1] ?? Number.NaN)
  const call = { type: 'tool_use' as const, id: `toolu_${number}`, name: 'look', input: { number } }
  const reply = Number.isNaN(number)
    ? 'looked'
    : number % 3 === 0
      ? { content: [{ type: 'text' as const, text: wholeText(number), citations: null }, call] }
      : wholeText(number)
  yield* script([{ reply, eventDelayMs: 1 }])({ model: 'claude-sonnet-4-6', max_tokens: 100, messages }, context)
}

/** The results that the last reply waits for, or else the text. */
function nextContent({ messages }: Conversation, text: string): MessageContentParam {
  const last = messages.at(-1)
  if (last?.stopReason !== 'tool_use' || last.state !== 'committed' || typeof last.content === 'string') return text
  const calls = last.content.filter((block) => block.type === 'tool_use')
  return calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'seen' }))
}

/** A process that sends to the conversation as fast as it can and prints what it has done. */
class Talker {
  /** Questions whose first event arrived, so that they are in the store. */
  readonly begun = new Set<string>()
  /** Replies that were awaited. */
  readonly ended = new Map<number, string>()
  readonly #path: string
  readonly #id: string
  #next = 0

  constructor(path: string, id: string) {
    this.#path = path
    this.#id = id
  }

  async talkAndDie(afterMs: number): Promise<void> {
    const child: ChildProcess = spawn(
      process.execPath,
      [
        ...process.execArgv.filter((option) => !option.startsWith('--test')),
        '--conditions=@colloquy/source',
        '--no-warnings',
        import.meta.filename,
        this.#path,
        this.#id,
        String((this.#next += 1000)),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let output = ''
    const ready = Promise.withResolvers<void>()
    child.stdout!.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('ready')) ready.resolve()
    })
    const gone = new Promise((resolve) => child.once('close', resolve))
    await Promise.race([ready.promise, gone])
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    child.kill('SIGKILL')
    await gone
    this.#note(output)
  }

  #note(output: string): void {
    // The last line may be incomplete.
    for (const line of output.split('\n').slice(0, -1)) {
      const [what, number] = line.split(' ')
      if (what === 'begun') this.begun.add(`question ${number}`)
      if (what === 'ended') this.ended.set(Number(number), wholeText(Number(number)))
    }
  }
}

function wholeText(number: number): string {
  return `reply ${number}: ${'one two three four five six seven eight nine ten '.repeat(3)}`
}

function wholeReply(beginning: string): string {
  const number = /^reply (\d+)/.exec(beginning)?.[1]
  if (number !== undefined) return wholeText(Number(number))
  return beginning.startsWith('l') ? 'looked' : 'reply '
}

function textOf(content: MessageParam['content']): string {
  return typeof content === 'string'
    ? content
    : content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

/** Checks that every tool call that would be sent has its result in the next message. */
function checkPairs(messages: readonly MessageParam[]): void {
  for (const [index, { role, content }] of messages.entries()) {
    if (role !== 'assistant' || typeof content === 'string') continue
    for (const block of content) {
      if (block.type !== 'tool_use') continue
      const next = messages[index + 1]?.content
      assert.ok(
        Array.isArray(next) && next.some((each) => each.type === 'tool_result' && each.tool_use_id === block.id),
      )
    }
  }
}
