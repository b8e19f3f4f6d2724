import { models, priceAt, toUsd, type ModelEntry, type PriceBand } from 'colloquy/protocol'
import { ExitCode } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { tokenText } from '../../format.ts'
import { writeJson, writeLine } from '../../terminal/output.ts'

/** Runs `colloquy models [WORDS]`. */
export async function listModels(words: readonly string[], flags: Flags): Promise<number> {
  const found = models.filter((entry) => words.every((word) => namesOf(entry).includes(word.toLowerCase())))
  if (flags.has('json')) writeJson(found.map(recordOf), 2)
  else for (const line of tableOf(found)) writeLine(line)
  return ExitCode.ok
}

function tableOf(entries: readonly ModelEntry[]): string[] {
  const rows = [['model', 'window', 'reply', 'in $/M', 'out $/M', ''], ...entries.map(rowOf)]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    )
    return cells.join('  ').trimEnd()
  })
}

function rowOf(entry: ModelEntry): string[] {
  const band = bandOf(entry)
  const price = (rate: keyof PriceBand): string =>
    band === undefined ? 'no price' : dollarsPerMillion(band, rate).toFixed(2)
  const note = entry.lifecycle === 'deprecated' ? `deprecated, retires ${entry.retiresOn ?? 'soon'}` : ''
  const limits = [tokenText(entry.contextTokens), tokenText(entry.maxOutputTokens)]
  return [entry.id, ...limits, price('input'), price('output'), note]
}

/** The model for JSON, with prices in dollars for a million tokens: the catalogue's own are bigints. */
function recordOf(entry: ModelEntry): object {
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

/** Today's prices for short prompts. */
function bandOf(entry: ModelEntry): PriceBand | undefined {
  return priceAt(entry, new Date())?.bands[0]
}

function dollarsPerMillion(band: PriceBand, rate: keyof PriceBand): number {
  return toUsd(BigInt(band[rate]) * 1_000_000n)
}

function namesOf({ id, aliases, displayName }: ModelEntry): string {
  return [id, ...aliases, displayName].join(' ').toLowerCase()
}
