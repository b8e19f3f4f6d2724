// Begins and settles requests until it is killed. Writes the id of each one that it has settled, and `written` with the number
// of those that the database must have after a write of the ledger.
// Parameters: the database, the number of its run.
import { setTimeout as sleep } from 'node:timers/promises'
import { Ledger, type LedgerEntry, type RequestOrigin, requestRow } from '@colloquy/server/access'
import { openServerStore } from '@colloquy/server/store'

const [name, runNumber] = process.argv.slice(2) as [string, string]
const { database } = await openServerStore(name)
let settled = 0
let settledBefore = 0
const ledger = new Ledger(
  {
    kind: database.kind,
    name: database.name,
    rows: (doing, sql, values) => database.rows(doing, sql, values),
    transaction: async (doing, work) => {
      const result = await database.transaction(doing, work)
      if (doing === 'write the ledger') {
        // Each write takes what was settled until the write before it ended, and perhaps more.
        process.stdout.write(`written ${settledBefore}\n`)
        settledBefore = settled
      }
      return result
    },
    close: () => database.close(),
  },
  { flushMs: 20 },
)
const account = { name: 'account', limit: 10n ** 15n, until: null }
const reserved = 10n ** 10n

const entry: LedgerEntry = {
  status: 200,
  servedModel: null,
  attempts: [],
  usage: { input_tokens: 10, output_tokens: 20, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  stopReason: 'end_turn',
  isFree: false,
  ttftMs: 1,
  ms: 2,
  requestBytes: 1,
  responseBytes: 1,
  aborted: false,
  error: undefined,
}

async function request(number: number): Promise<void> {
  const origin: RequestOrigin = {
    id: `req_${runNumber}_${number}`,
    started_at: Date.now(),
    workspace: 'default',
    key_id: '',
    user_id: '',
    conversation: '',
    source: 'api',
    path: '/v1/messages',
    engine: '',
    model: 'claude-sonnet-4-6',
  }
  await ledger.begin({ origin, accounts: [account.name], reserved }, [account])
  // Some are in flight for longer than it takes until the ledger is written.
  await sleep(number % 4 === 0 ? 400 : number % 20)
  const row = requestRow(origin, entry, { isPriced: true })
  ledger.settle(row, BigInt(row.cost!))
  settled++
  process.stdout.write(`${row.id}\n`)
}

for (let number = 0; ; number++) {
  void request(number)
  await sleep(1)
}
