import { bandFor, decimalUsd, type ModelEntry, models, priceAt } from 'colloquy/protocol'
import type { ModelChoiceJson } from '../api.ts'

/** The models of the catalogue that are not retired, newest first. */
export function catalogueChoices(): ModelChoiceJson[] {
  return models.toSorted((a, b) => (a.releasedOn < b.releasedOn ? 1 : -1)).map(modelChoice)
}

/** A model of the catalogue. */
function modelChoice(entry: ModelEntry): ModelChoiceJson {
  const { id, displayName, contextTokens, maxOutputTokens } = entry
  const price = priceAt(entry, new Date())
  const band = price && bandFor(price, 0)
  const perMillion = (perToken: bigint): string => decimalUsd(perToken * 1_000_000n)
  return {
    id,
    displayName,
    isLocal: false,
    contextTokens,
    maxOutputTokens,
    efforts: [...(entry.effort?.levels ?? [])],
    price: band ? { inputUsd: perMillion(band.input), outputUsd: perMillion(band.output) } : null,
  }
}
