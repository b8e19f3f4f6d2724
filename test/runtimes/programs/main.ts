// Runs in Node, Bun and Deno: tests the promises named by the first argument against the server at the second.
import { clientPromises } from './client.ts'
import { conversationPromises } from './conversation.ts'
import { hold } from './promise.ts'
import { serverPromises } from './server.ts'

const [baseURL = '', folder = ''] = process.argv.slice(2)
// Imported on demand: without SQLite, the other promises are still tested.
const { sqlitePromises } = await import('./sqlite.ts')
const promises = { ...clientPromises, ...conversationPromises, ...serverPromises, ...sqlitePromises }
process.stdout.write(`${JSON.stringify(await hold(promises, { baseURL, folder }))}\n`)
