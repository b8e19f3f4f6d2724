import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install } from '../client/packages.ts'
import type { Racer } from './race.ts'

const name = 'LangGraph 1.4.9, SQLite saver 1.0.4 on node:sqlite'
const packages = [
  '@langchain/langgraph@1.4.9',
  '@langchain/langgraph-checkpoint@1.1.5',
  '@langchain/langgraph-checkpoint-sqlite@1.0.4',
  '@langchain/core@1.2.13',
]
const exports = `export { AIMessage, HumanMessage } from '@langchain/core/messages'
export { MessagesAnnotation, StateGraph } from '@langchain/langgraph'
export { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite'
`

/**
 * Installs LangGraph once, next to the repository, without compiling. Prints a message and returns undefined if it
 * cannot be fetched.
 */
export function langgraph(): Racer | undefined {
  const folder = join(tmpdir(), 'colloquy-bench', 'langgraph-1.4.9')
  const entry = join(folder, 'entry.mjs')
  try {
    if (!existsSync(entry)) {
      process.stderr.write(`Installing ${name} beside the repository (once) …\n`)
      install(folder, packages)
      writeFileSync(entry, exports)
    }
    return { name, contestant: 'langgraph', entry }
  } catch {
    process.stderr.write(`NOT MEASURED: ${name}, as it cannot be installed here\n`)
    return undefined
  }
}
