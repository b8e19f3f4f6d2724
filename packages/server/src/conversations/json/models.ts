import { bandFor, decimalUsd, findModel, type ModelEntry, models, priceAt } from 'colloquy/protocol'
import type { ModelChoiceJson } from '../api.ts'

/** The models of the catalogue that are not retired, newest first. */
export function catalogueChoices(): ModelChoiceJson[] {
  return models.toSorted((a, b) => (a.releasedOn < b.releasedOn ? 1 : -1)).map(modelChoice)
}

/** The models with the one of new conversations first, if it is not among them. */
export function withModel(listed: readonly ModelChoiceJson[], id: string | undefined): ModelChoiceJson[] {
  if (id === undefined || listed.some((choice) => choice.id === id)) return [...listed]
  const entry = findModel(id)
  return [entry ? { ...modelChoice(entry), id } : unknownChoice(id), ...listed]
}

function unknownChoice(id: string): ModelChoiceJson {
  return { id, displayName: id, isLocal: false, contextTokens: null, maxOutputTokens: null, efforts: [], price: null }
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
