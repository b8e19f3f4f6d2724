import { models, priceAt, toUsd, type ModelEntry, type PriceBand } from 'colloquy/protocol'
import { candidateLine, findCandidates, type Candidate } from '../../engine/candidates.ts'
import { hasAccess } from '../../engine/engine-kind.ts'
import { ExitCode, UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { tokenText } from '../../format.ts'
import { writeJson, writeLine } from '../../terminal/output.ts'
import { nearest } from '../unknown-word.ts'
import { localLines, offerLines } from './local-lines.ts'
import { programName } from '../../terminal/program-name.ts'

/** Runs `colloquy models [WORDS]`: everything that can reply. With words, the models whose names have them all. */
export async function listModels(words: readonly string[], flags: Flags): Promise<number> {
  const fits = (name: string): boolean => words.every((word) => name.toLowerCase().includes(word.toLowerCase()))
  const claude = models.filter((entry) => fits(namesOf(entry)))
  const all = await findCandidates()
  const candidates = all.filter(({ name }) => fits(name))
  if (flags.has('json')) {
    writeJson([...claude.map(recordOf), ...candidates.map(recordOfCandidate)], 2)
    return ExitCode.ok
  }
  const offers = words.length === 0 ? [] : offerLines(all, fits)
  if (words.length > 0 && claude.length + candidates.length + offers.length === 0) throw await noModel(words)
  if (claude.length > 0) {
    writeLine(hasAccess() ? 'Claude:' : 'Claude, with a key in ANTHROPIC_API_KEY:')
    for (const line of tableOf(claude)) writeLine(`  ${line}`)
  }
  const local = words.length === 0 ? ['', ...localLines(candidates)] : [...candidates.map(candidateLine), ...offers]
  for (const line of local) writeLine(line)
  return ExitCode.ok
}

/** The error when no model has the words: one of them may be a mistyped subcommand. */
async function noModel(words: readonly string[]): Promise<UsageError> {
  const near = await nearest(words[0]!, ['local', 'get', 'use', 'remove'])
  const hint = near === undefined ? `${programName} models lists all.` : `Did you mean ${programName} models ${near}?`
  return new UsageError(`No model matches ${words.join(' ')}. ${hint}`)
}

function recordOfCandidate({ name, from, bytes, parameters, window, license, engine }: Candidate): object {
  return {
    id: name,
    from,
    contextTokens: window ?? null,
    bytes: bytes ?? null,
    millionParameters: parameters ?? null,
    license: license ?? null,
    ...(engine.kind === 'chat' ? { url: engine.url } : { path: engine.model.path }),
  }
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
    from: 'claude',
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
