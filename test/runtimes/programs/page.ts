// What a browser runs. It has no other way to tell what it found than to send it to where the page came from.
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
