import { type Contestant, settings } from '../contestant.ts'
import { openWith } from './colloquy.ts'

/** Each request reserves its cost before it is sent. */
export function open(folder: string): Promise<Contestant> {
  return openWith(folder, { ...settings, budget: { usd: 1_000_000 } })
}
