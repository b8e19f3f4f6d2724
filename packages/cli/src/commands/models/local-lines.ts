import { listedModels, type ModelOffer } from '@colloquy/llama'
import { candidateLine, sizeText, type Candidate } from '../../engine/candidates.ts'
import { chosenEngine, type ChosenEngine } from '../../engine/chosen-engine.ts'
import { programName } from '../../terminal/program-name.ts'

/** The models of this machine, with a mark at the one that was chosen, and the listed ones that are not here. */
export function localLines(candidates: readonly Candidate[]): string[] {
  const chosen = JSON.stringify(keyOf(chosenEngine()))
  return [
    candidates.length === 0 ? 'No model was found on this machine.' : 'On this machine:',
    ...candidates.map((candidate) => {
      const mark = JSON.stringify(keyOf(candidate.engine)) === chosen ? '*' : ' '
      return `${mark} ${candidateLine(candidate)}`
    }),
    ...offerLines(candidates),
  ]
}

/** The listed models that are not here and whose names fit, under a heading. None: no lines. */
export function offerLines(candidates: readonly Candidate[], fits = (_name: string): boolean => true): string[] {
  const isHere = (name: string): boolean => candidates.some((candidate) => candidate.name === name)
  const missing = listedModels.filter(({ name, title }) => !isHere(name) && fits(`${name} ${title}`))
  if (missing.length === 0) return []
  return [`To fetch, with ${programName} models get NAME:`, ...missing.map((model) => `  ${offerLine(model)}`)]
}

/** The part of an engine by which two are the same. */
function keyOf(engine: ChosenEngine | undefined): unknown {
  return engine?.kind === 'chat' ? [engine.url, engine.model] : engine?.model.path
}

function offerLine({ name, title, bytes, license, sha256 }: ModelOffer): string {
  const size = bytes !== undefined && sizeText(bytes)
  return [name, title, size, license, sha256 === undefined && 'not tried by us'].filter(Boolean).join(' · ')
}
