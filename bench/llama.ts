import { monitorEventLoopDelay } from 'node:perf_hooks'
import { llama, type LlamaEngine } from '@colloquy/llama'
import type { MessageCreateParams, MessageParam } from 'colloquy/protocol'
import { BareModel } from './llama/bare-model.ts'
import { localModel, runtimeFolder } from '../test/engines/local-model.ts'
import { median } from './run.ts'

const rounds = 3
const replyTokens = 120
const turns = 20

/** The engine over a real model beside a bare loop over the same runtime, in CPU time: one thread computes. */
export async function* report(): AsyncGenerator<string> {
  const model = await localModel()
  if (model === undefined) {
    yield 'llama: NOT MEASURED, as the model is not here. COLLOQUY_MODEL=fetch npm run bench -- llama fetches it (180 MB)'
    return
  }
  const engine = llama({ model, runtimeFolder, threads: 1 })
  try {
    const bare = await BareModel.load(model, runtimeFolder)
    yield await speed(engine, bare)
    yield await firstTokens(engine, bare)
    await bare.dispose()
    yield await aborts(engine)
    yield await loopDelay(engine)
  } finally {
    await engine.close()
  }
}

function request(messages: MessageParam[], max_tokens: number): MessageCreateParams {
  return { model: 'smollm2', max_tokens, temperature: 0, messages }
}

/** The CPU time of a piece of work, in milliseconds. */
async function cpuMs<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const before = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  return { ms: (user + system) / 1000, result }
}

/** Sampling a reply token by token, the prompt aside. */
async function speed(engine: LlamaEngine, bare: BareModel): Promise<string> {
  const story: MessageParam[] = [{ role: 'user', content: 'Write a long story about the sea, with many details.' }]
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = -1; round < rounds; round++) {
    const [own, other] = [await engineSpeed(engine, story), await bare.speed(story, replyTokens, cpuMs)]
    if (round < 0) continue
    ours.push(own)
    theirs.push(other)
  }
  const ratio = median(theirs.map((speedOfOther, index) => ours[index]! / speedOfOther))
  return [
    `tokens for a second of CPU time, ${replyTokens} tokens, one thread (ours must be at least 0.95 ×)`,
    `  sequence.evaluate() alone   ${median(theirs).toFixed(0).padStart(5)}`,
    `  llama()                     ${median(ours).toFixed(0).padStart(5)}   ${ratio.toFixed(2)} ×`,
  ].join('\n')
}

async function engineSpeed(engine: LlamaEngine, messages: MessageParam[]): Promise<number> {
  let before: NodeJS.CpuUsage | undefined
  let tokens = 0
  for await (const event of engine(request(messages, replyTokens))) {
    if (event.type === 'content_block_start') before = process.cpuUsage()
    if (event.type === 'message_delta') tokens = event.usage.output_tokens
  }
  const { user, system } = process.cpuUsage(before)
  // The first token was sampled before the block began.
  return ((tokens - 1) / (user + system)) * 1e6
}

interface FirstToken {
  ms: number
  /** The tokens that were kept, and those that were read. */
  kept: number
  read: number
  text: string
}

/**
 * The time to the first token of each turn of a conversation, and that of the runtime alone for as many tokens after as many
 * others: each new token attends to all that were kept, so it takes longer the more there are.
 */
async function firstTokens(engine: LlamaEngine, bare: BareModel): Promise<string> {
  const ours: FirstToken[][] = Array.from({ length: turns }, () => [])
  const theirs: number[][] = Array.from({ length: turns }, () => [])
  for (let round = 0; round < 2; round++) {
    const messages: MessageParam[] = []
    for (let turn = 0; turn < turns; turn++) {
      messages.push({ role: 'user', content: `Round ${round}: and what is the next thing to see, number ${turn}?` })
      const first = await firstToken(engine, messages)
      messages.push({ role: 'assistant', content: first.text })
      ours[turn]!.push(first)
      theirs[turn]!.push(await bare.firstToken(first.kept, first.read, cpuMs))
    }
  }
  const rows = [2, 5, 10, 15, 20].map((turn) => {
    const own = median(ours[turn - 1]!.map(({ ms }) => ms))
    const other = median(theirs[turn - 1]!)
    const { kept, read } = ours[turn - 1]![0]!
    const second = median(ours[1]!.map(({ ms }) => ms))
    return [
      `turn ${turn}`,
      `${kept} + ${read}`,
      own.toFixed(0),
      `${(own / second).toFixed(2)} ×`,
      other.toFixed(0),
      `${(own / other).toFixed(2)} ×`,
    ]
  })
  return [
    `first token with the earlier turns kept, CPU time in ms (aim: 1.2 × of turn 2, up to turn ${turns})`,
    ...[['', 'kept + read', 'ours', '÷ turn 2', 'runtime', 'ours ÷ runtime'], ...rows].map(
      (row) => `  ${row.map((cell) => cell.padStart(16)).join('')}`,
    ),
  ].join('\n')
}

async function firstToken(engine: LlamaEngine, messages: MessageParam[]): Promise<FirstToken> {
  const before = process.cpuUsage()
  const first: FirstToken = { ms: 0, kept: 0, read: 0, text: '' }
  for await (const event of engine(request(messages, 16))) {
    if (event.type === 'message_start') {
      first.kept = event.message.usage.cache_read_input_tokens ?? 0
      first.read = event.message.usage.input_tokens
    }
    if (event.type !== 'content_block_delta' || event.delta.type !== 'text_delta') continue
    const { user, system } = process.cpuUsage(before)
    first.ms ||= (user + system) / 1000
    first.text += event.delta.text
  }
  return first
}

/** How long after an abort the engine throws: while it reads a prompt, and while it writes. */
async function aborts(engine: LlamaEngine): Promise<string> {
  const rows: string[] = []
  for (const [name, isReading] of [
    ['reading 2,000 tokens', true],
    ['writing', false],
  ] as const) {
    const waits: number[] = []
    for (let round = 0; round < rounds; round++) waits.push(await abortOnce(engine, isReading, round))
    rows.push(
      `  while ${name.padEnd(21)}${Math.max(...waits)
        .toFixed(1)
        .padStart(6)} ms`,
    )
  }
  return ['from an abort to the error, wall time, worst of 3 (must be below 100 ms)', ...rows].join('\n')
}

async function abortOnce(engine: LlamaEngine, isReading: boolean, round: number): Promise<number> {
  const controller = new AbortController()
  const content = isReading ? `${round} ${'some words to read '.repeat(500)}` : 'Write a long story about the sea.'
  let abortedAt = 0
  const abort = (): void => {
    abortedAt = performance.now()
    controller.abort()
  }
  const timer = isReading ? setTimeout(abort, 400) : undefined
  try {
    const events = engine(request([{ role: 'user', content }], 500), { signal: controller.signal })
    for await (const { type } of events) if (!isReading && type === 'content_block_delta') setTimeout(abort, 50).unref()
  } catch {
    return performance.now() - abortedAt
  } finally {
    clearTimeout(timer)
  }
  throw new Error('the reply ended before it was aborted')
}

/** The delay of other work in the process, and the longest that the engine itself takes the event loop's thread. */
async function loopDelay(engine: LlamaEngine): Promise<string> {
  const text = 'more words to read and to count '
  const read = async (): Promise<void> => {
    const messages: MessageParam[] = [{ role: 'user', content: `Read: ${text.repeat(280)}` }]
    for await (const _ of engine(request(messages, 60)));
  }
  const count = async (): Promise<void> => {
    await engine.countTokens!({ model: 'smollm2', messages: [{ role: 'user', content: text.repeat(7_000) }] })
  }
  const rows: string[] = []
  for (const [name, work] of [
    ['2,000 tokens read, 60 written', read],
    ['50,000 tokens counted', count],
  ] as const) {
    const { share, worst, cpu } = await delaysOf(work)
    rows.push(`  ${name.padEnd(32)}${[share, worst, cpu].map((ms) => ms.toFixed(1).padStart(14)).join('')}`)
  }
  return [
    'delay of the event loop in ms (must be at most 20), and the longest work on its thread in ms of CPU time',
    `  ${''.padEnd(32)}${['99 %', 'worst', 'longest work'].map((name) => name.padStart(14)).join('')}`,
    ...rows,
  ].join('\n')
}

/** On a busy machine the delays include the time that other processes take; the CPU time does not. */
async function delaysOf(work: () => Promise<void>): Promise<{ share: number; worst: number; cpu: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let [before, cpu] = [threadMs(), 0]
  const timer = setInterval(() => {
    const now = threadMs()
    cpu = Math.max(cpu, now - before)
    before = now
  }, 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  cpu = 0
  delay.enable()
  await work()
  await new Promise((resolve) => setTimeout(resolve, 5))
  delay.disable()
  clearInterval(timer)
  return { share: delay.percentile(99) / 1e6, worst: delay.max / 1e6, cpu }
}

function threadMs(): number {
  // The types are those of the oldest supported version, which lacks it.
  const { user, system } = (process as unknown as { threadCpuUsage(): NodeJS.CpuUsage }).threadCpuUsage()
  return (user + system) / 1000
}
