import { createInterface, type Interface } from 'node:readline'
import { knownEngine } from '../engine/choose.ts'
import { ExitCode } from '../exit.ts'
import type { Flags } from '../flags.ts'
import { greeting } from './greeting.ts'
import { openSession } from './open-session.ts'
import { PlainSurface } from './surface/plain-surface.ts'

/** Runs a chat with `--plain`: reads lines, prints whole lines. */
export async function plainChat(words: readonly string[], flags: Flags): Promise<number> {
  const surface = new PlainSurface((question, signal) => readLine(lines, question, signal))
  const engine = knownEngine(flags) ?? (await (await import('../engine/first-engine.ts')).findEngineOrInterrupt(flags))
  surface.print(...greeting(flags, engine))
  const { session } = await openSession(surface, flags, { engine, wordsPerSecond: Infinity })
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
  lines.on('SIGINT', () => (session.isBusy ? session.stop() : lines.close()))
  process.on('SIGTERM', () => lines.close())
  if (words.length > 0) await session.submit(words.join(' '))
  else if (flags.has('resume') && flags.text('resume') === undefined) await session.submit('/resume')
  lines.prompt()
  for await (const line of lines) {
    if (line.trim() !== '') await session.submit(line)
    if (session.state.shouldExit) break
    lines.prompt()
  }
  lines.close()
  await session.close()
  if (session.resumeHint !== undefined) surface.print('', session.resumeHint)
  return ExitCode.ok
}

function readLine(lines: Interface, question: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    const end = (): void => resolve(undefined)
    lines.once('close', end)
    signal?.addEventListener('abort', end, { once: true })
    lines.question(question, { ...(signal && { signal }) }, (line) => {
      lines.off('close', end)
      signal?.removeEventListener('abort', end)
      resolve(line)
    })
  })
}
