import { models, priceAt, toUsd, type ModelEntry, type PriceBand } from 'colloquy/protocol'
import type { Flags } from '../command.ts'
import { tokens } from '../chat/cost-line.ts'
import { ExitCode } from '../exit.ts'

/** `colloquy models [WORDS]`. */
export async function listModels(words: readonly string[], flags: Flags): Promise<number> {
  const found = models.filter((entry) => words.every((word) => namesOf(entry).includes(word.toLowerCase())))
  if (flags.has('json')) {
    // Prices are whole numbers too large for JSON's; here they are dollars for a million tokens.
    const text = JSON.stringify(found.map(describe), undefined, 2)
    process.stdout.write(`${text}\n`)
    return ExitCode.ok
  }
  const rows = [['model', 'window', 'reply', 'in $/M', 'out $/M', ''], ...found.map(rowOf)]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    )
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`)
  }
  return ExitCode.ok
}

function rowOf(entry: ModelEntry): string[] {
  const band = bandOf(entry)
  const price = (rate: keyof PriceBand): string =>
    band === undefined ? 'no price' : dollarsPerMillion(band, rate).toFixed(2)
  const note = entry.lifecycle === 'deprecated' ? `deprecated, retires ${entry.retiresOn ?? 'soon'}` : ''
  return [entry.id, tokens(entry.contextTokens), tokens(entry.maxOutputTokens), price('input'), price('output'), note]
}

function describe(entry: ModelEntry): object {
  const band = bandOf(entry)
  const { id, aliases, displayName, lifecycle, contextTokens, maxOutputTokens } = entry
  const usdPerMillionTokens = band && {
    input: dollarsPerMillion(band, 'input'),
    cacheWrite5m: dollarsPerMillion(band, 'cacheWrite5m'),
    cacheWrite1h: dollarsPerMillion(band, 'cacheWrite1h'),
    cacheRead: dollarsPerMillion(band, 'cacheRead'),
    output: dollarsPerMillion(band, 'output'),
  }
  return {
    id,
    aliases,
    displayName,
    lifecycle,
    contextTokens,
    maxOutputTokens,
    usdPerMillionTokens: usdPerMillionTokens ?? null,
  }
}

/** Today's price, for short prompts. */
function bandOf(entry: ModelEntry): PriceBand | undefined {
  return priceAt(entry, new Date())?.bands[0]
}

function dollarsPerMillion(band: PriceBand, rate: keyof PriceBand): number {
  return toUsd(BigInt(band[rate]) * 1_000_000n)
}

function namesOf({ id, aliases, displayName }: ModelEntry): string {
  return [id, ...aliases, displayName].join(' ').toLowerCase()
}
