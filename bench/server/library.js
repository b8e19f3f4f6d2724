// The server as a program embeds it, in front of the upstream.
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import Anthropic from 'colloquy'
import { upstream } from 'colloquy/engines'

const [baseURL, port] = process.argv.slice(2)
const client = new Anthropic({ baseURL, apiKey: 'sk-upstream', transport: 'sockets' })
await listen(createServer({ engine: upstream(client) }), { port: Number(port) })
