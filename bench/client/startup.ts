import { execFileSync } from 'node:child_process'
import { median } from '../run.ts'
import { contestants, type Package } from './packages.ts'
import { type Row, table, verdict } from './table.ts'

/** The cost of importing and creating a client, compared with an empty Node process. */
export async function* report(): AsyncGenerator<string> {
  const { all, colloquy } = await contestants()
  const programs = [undefined, ...all.filter(({ entry }) => entry !== undefined)].map((contestant) => ({
    contestant,
    code: contestant ? programOf(contestant) : '',
    ms: [] as number[],
    megabytes: [] as number[],
  }))
  for (let round = -2; round < rounds; round++) {
    for (let turn = 0; turn < programs.length; turn++) {
      const program = programs[(turn + round + 2) % programs.length]!
      const run = timed(program.code)
      if (round < 0) continue
      program.ms.push(run.ms)
      program.megabytes.push(run.megabytes)
    }
  }
  const [empty, ...clients] = programs.map(({ contestant, ms, megabytes }) => {
    return { contestant, ms: median(ms), megabytes: median(megabytes) }
  })
  const rows = clients.map(({ contestant, ms, megabytes }): Row => {
    const over = { ms: ms - empty!.ms, megabytes: megabytes - empty!.megabytes }
    const row = { name: contestant!.name, figures: [`+${over.ms.toFixed(1)} ms`, `+${over.megabytes.toFixed(1)} MB`] }
    if (contestant !== colloquy) return row
    return { ...row, verdict: verdict('≤ 10 ms, ≤ 4 MB', over.ms <= 10 && over.megabytes <= 4) }
  })
  yield table(`import and construct, over an empty Node (${empty!.ms.toFixed(1)} ms; wall time, resident memory)`, rows)
}

const rounds = 15

const constructions: Record<string, (library: string) => string> = {
  anthropic: (library) => `new ${library}.default({ apiKey: 'key' })`,
  'ai-sdk': (library) => `${library}.createAnthropic({ apiKey: 'key' })('claude-sonnet-4-6')`,
  langchain: (library) => `new ${library}.ChatAnthropic({ apiKey: 'key', model: 'claude-sonnet-4-6' })`,
}

function programOf({ entry, contestant }: Package): string {
  return `const library = await import(${JSON.stringify(new URL(`file://${entry}`).href)})
globalThis.made = ${constructions[contestant]!('library')}
`
}

function timed(code: string): { ms: number; megabytes: number } {
  const program = `${code}process.stdout.write(String(process.memoryUsage.rss()))`
  const startedAt = performance.now()
  const rss = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })
  return { ms: performance.now() - startedAt, megabytes: Number(rss) / 1_000_000 }
}
