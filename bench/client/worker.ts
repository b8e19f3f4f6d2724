// A process for one contestant. It lives as long as the measurement and runs one task for each message.
import { pathToFileURL } from 'node:url'
import type { Connect, Contestant, HistoryMessage } from './contestant.ts'

/** The task of a worker. */
export interface Task {
  kind: 'iterate' | 'finalMessage' | 'toolInput' | 'iterateToolInput' | 'create' | 'turns'
  /** The base URL. */
  url: string
  times: number
  /** The number of parallel requests. Default 1. */
  inFlight?: number
}

export interface Outcome {
  value: unknown
  cpuMs: number
}

const [contestant, entry] = process.argv.slice(2)
const { connect } = (await import(`./contestants/${contestant}.ts`)) as { connect: Connect }
const library = (entry ? await import(pathToFileURL(entry).href) : undefined) as never
const connected = new Map<string, Contestant>()

const shortMessages: HistoryMessage[] = [{ role: 'user', content: 'x'.repeat(1800) }]
/** A conversation of 5 MB that grows with each turn. */
let history: HistoryMessage[] | undefined

process.on('message', (task: Task) => {
  measured(task).then(
    (outcome) => process.send!(outcome),
    (error: Error) => process.send!({ error: error.stack ?? error.message }),
  )
})
process.once('disconnect', () => process.exit())
process.send!('ready')

async function measured({ kind, url, times, inFlight = 1 }: Task): Promise<Outcome> {
  let one = connected.get(url)
  if (!one) connected.set(url, (one = connect(library, url)))
  let value: unknown
  let left = times
  globalThis.gc!()
  const before = process.cpuUsage()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) value = await done(one, kind)
    }),
  )
  const { user, system } = process.cpuUsage(before)
  return { value, cpuMs: (user + system) / 1000 }
}

async function done(one: Contestant, kind: Task['kind']): Promise<unknown> {
  if (kind === 'create') return one.create(shortMessages)
  if (kind !== 'turns') return one[kind]()
  history ??= Array.from({ length: 5001 }, (_, index) => message(index))
  const value = await one.create(history)
  history.push(message(history.length), message(history.length + 1))
  return value
}

/** Returns a text of 1 KB, different each time. */
function message(index: number): HistoryMessage {
  const content = `${index}: ${'All work and no "play" makes Jack a dull boy.\n'.repeat(22)}`
  return { role: index % 2 === 0 ? 'user' : 'assistant', content }
}
