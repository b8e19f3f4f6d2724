const maxCharacters = 20_000
const maxNumbers = 1_000
/** Searches for the value of a key, each of which reads the text. */
const maxSearches = 1_000

/** The values that a text gives for the fields of a schema. Reads the first 20,000 characters. */
export class TextFacts {
  readonly #text: string
  readonly #numbers: number[]
  #searches = 0

  constructor(text: string) {
    this.#text = text.slice(0, maxCharacters)
    this.#numbers = Array.from(this.#text.matchAll(/-?\d+(\.\d+)?/g).take(maxNumbers), ([number]) => Number(number))
  }

  /** Takes the first number that fits. */
  takeNumber(fits: (value: number) => boolean): number | undefined {
    const index = this.#numbers.findIndex(fits)
    return index < 0 ? undefined : this.#numbers.splice(index, 1)[0]
  }

  get isPositive(): boolean {
    return !/\b(no|not|false|never)\b/i.test(this.#text)
  }

  /** The first value that the text names, or else the first. */
  choose(values: readonly unknown[]): unknown {
    const text = this.#text.toLowerCase()
    return values.find((value) => typeof value === 'string' && value && text.includes(value.toLowerCase())) ?? values[0]
  }

  /** The value that the text gives for the key: `city: Paris`, `the unit is celsius`. */
  stated(key: string): string | undefined {
    const words = key
      .slice(0, 200)
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .replaceAll(/[_-]+/g, ' ')
      .trim()
    if (!words || this.#text === '' || this.#searches++ > maxSearches) return undefined
    const escaped = words.replaceAll(/[^\w\s]/g, '.').replaceAll(' ', String.raw`[\s_-]`)
    const match = new RegExp(
      String.raw`\b${escaped}(?:\s*[:=]\s*|\s+(?:is|of|named|called)\s+)"?([^\n",;.?!]+)`,
      'i',
    ).exec(this.#text)
    return match?.[1]?.trim() || undefined
  }

  /** A text for the key, made from the whole text. */
  guess(key: string): string {
    if (/city|location|place|country|destination|address/i.test(key)) {
      const place = /\b(?:in|at|for|to|from|of|near)\s+((?:[A-Z][\p{L}-]+)(?:[ ,]+[A-Z][\p{L}-]+)*)/u.exec(this.#text)
      if (place) return place[1]!
    }
    if (/query|question|prompt|text|message|topic|search|subject/i.test(key) && this.#text) return this.#text
    return /["“`']([^"“”`'\n]+)["”`']/.exec(this.#text)?.[1] ?? 'example'
  }
}
