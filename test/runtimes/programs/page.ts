// Runs in a browser, which can only report its results by sending them to the server of the page.
import { clientPromises } from './client.ts'
import { conversationPromises } from './conversation.ts'
import { hold } from './promise.ts'
import { serverPromises } from './server.ts'
import { strangerPromises } from './stranger.ts'

const { searchParams: asked } = new URL(location.href)
const everywhere = { ...clientPromises, ...conversationPromises, ...serverPromises }
const promises = asked.has('stranger') ? strangerPromises : everywhere
const outcomes = await hold(promises, { baseURL: asked.get('api')! })
await fetch('/report', { method: 'POST', body: JSON.stringify(outcomes) })
