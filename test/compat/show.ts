// Prints how the two clients differ in the scenarios whose names contain the argument; with --all also both outcomes:
//   node --conditions=@colloquy/source test/compat/show.ts 'retry-after' --all
import { inspect, parseArgs } from 'node:util'
import { compare } from './compare.ts'
import { recordingServer } from './recording-server.ts'
import { tables } from './scenarios/index.ts'

const { values, positionals } = parseArgs({ options: { all: { type: 'boolean' } }, allowPositionals: true })
const server = await recordingServer()
for (const [subject, scenarios] of Object.entries(tables)) {
  for (const scenario of scenarios) {
    const title = `${subject}: ${scenario.name}`
    if (!title.includes(positionals[0] ?? '')) continue
    const { deviations, ...outcomes } = await compare(server, scenario)
    if (!values.all && deviations.length === 0) continue
    const shown = values.all ? { ...outcomes, deviations } : deviations
    process.stdout.write(`${title}\n${inspect(shown, { depth: 20, maxStringLength: 300 })}\n`)
  }
}
await server.close()
