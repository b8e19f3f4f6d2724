/** The known name that an unknown name was probably meant to be: other case or separators, or at most two letters off. */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  const limit = name.length < 5 ? 1 : 2
  return (
    known.find((candidate) => plain(candidate) === plain(name)) ??
    known.find((candidate) => distance(candidate, name) <= limit)
  )
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[_-]/g, '')
}

/** The number of letters to insert, delete, change or swap with a neighbor; 3 if the lengths differ by more than 2. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      next[j] = cost
    }
    before = row
    row = next
  }
  return row[b.length]!
}
