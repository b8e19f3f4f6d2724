import type { Message } from 'colloquy/protocol'

/** The end of a sentence about a refusal: ` (cyber): the explanation`. */
export function refusalFacts({ stop_details: details }: Message): string {
  const category = details?.category ? ` (${details.category})` : ''
  return `${category}: ${details?.explanation ?? 'the model declined to answer'}`
}
