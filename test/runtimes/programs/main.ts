// What Node, Bun and Deno run: the promises that the first word names, against the server at the second.
import { clientPromises } from './client.ts'
import { conversationPromises } from './conversation.ts'
import { hold } from './promise.ts'
import { serverPromises } from './server.ts'

const [baseURL = '', folder = ''] = process.argv.slice(2)
// Not at the top: where there is no SQLite the rest is still held.
const { sqlitePromises } = await import('./sqlite.ts')
const promises = { ...clientPromises, ...conversationPromises, ...serverPromises, ...sqlitePromises }
process.stdout.write(`${JSON.stringify(await hold(promises, { baseURL, folder }))}\n`)
