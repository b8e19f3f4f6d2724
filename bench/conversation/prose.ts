const syllables = ['ba', 'con', 'der', 'es', 'fi', 'gra', 'ho', 'in', 'ka', 'lo', 'men', 'no', 'of', 'pre', 'qua', 'ri']
const vocabulary = 20_000

/** A number of made-up words, common ones more often: the same for the same seed. A word has about seven characters. */
export function prose(seed: number, words: number): string {
  // Zipf's distribution: the logarithm of the rank is uniform.
  const word = (place: number): string => commonWord(Math.floor(vocabulary ** (hash(seed * 256 + place) / 2 ** 32)) - 1)
  return Array.from({ length: words }, (_, place) => word(place)).join(' ')
}

/** The word of a rank: 0 is the most common one. */
export function commonWord(rank: number): string {
  let rest = hash(rank + 1)
  let word = ''
  for (let count = 2 + (rest % 3); count > 0; count--, rest >>>= 4) word += syllables[rest & 15]
  return word
}

function hash(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x45d9f3b)
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b)
  return (bits ^ (bits >>> 16)) >>> 0
}
