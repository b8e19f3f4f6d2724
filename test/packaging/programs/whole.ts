// Compiled with the types of each installed package.
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { testServer } from '@colloquy/server/testing'
import { openConversations } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'

const { url } = await listen(createServer({ engine: offline() }), { port: 0 })
const { requests } = await testServer({ script: ['Hello.'] })
const list: object[] = await openConversations({ engine: offline() }).list()
console.log(url.length, requests.length, list.length)
