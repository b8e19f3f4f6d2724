// Stands in for near-miss.ts in browsers, where a misspelled option is an error that lists the options.

export function nearMiss(): undefined {
  return undefined
}
