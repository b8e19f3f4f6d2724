// The server as a program embeds it, with keys, limits, budgets and the ledger on a SQLite file.
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { createServer } from '@colloquy/server'
import { openAccess } from '@colloquy/server/access'
import { listen } from '@colloquy/server/node'
import { openServerStore } from '@colloquy/server/store'
import Anthropic from 'colloquy'
import { upstream } from 'colloquy/engines'

const [baseURL, port] = process.argv.slice(2)
const client = new Anthropic({ baseURL, apiKey: 'sk-upstream', transport: 'sockets' })
const store = await openServerStore(join(process.env.XDG_DATA_HOME, `access-${port}.db`))
const access = await openAccess({ store })
const most = 1_000_000_000
const { key } = await access.keys.create({
  name: 'bench',
  limits: { requests_per_minute: most, input_tokens_per_minute: most, output_tokens_per_minute: most },
  budgets: [
    { usd: '1000000', per: 'day' },
    { usd: '1000000', per: 'month', each: 'user' },
  ],
})
// The load sends this key to every server.
const values = { id: key.id, hash: hash('sha256', 'any') }
await store.database.rows('set the key', 'UPDATE %.access_key SET hash = :hash WHERE id = :id', values)
await listen(createServer({ engine: upstream(client), access }), { port: Number(port) })
