/** The known name that an unknown name was probably meant to be: other case or separators, or at most two letters off. */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  const limit = name.length < 5 ? 1 : 2
  return (
    known.find((candidate) => plain(candidate) === plain(name)) ??
    known.find((candidate) => isNear(candidate, name, 1)) ??
    known.find((candidate) => isNear(candidate, name, limit))
  )
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[_-]/g, '')
}

/** Whether one text becomes the other with so many letters inserted, deleted, changed or swapped with a neighbor. */
function isNear(a: string, b: string, edits: number): boolean {
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  const [x, y] = [a.slice(same), b.slice(same)]
  if (x === y) return true
  if (edits === 0) return false
  const rest = (fromX: number, fromY: number): boolean => isNear(x.slice(fromX), y.slice(fromY), edits - 1)
  return rest(1, 0) || rest(0, 1) || rest(1, 1) || (x[0] === y[1] && x[1] === y[0] && rest(2, 2))
}
