/** The function, which computes its result once for each object: for frozen objects that many turns have in common. */
export function oncePer<Given extends object, Result>(compute: (given: Given) => Result): (given: Given) => Result {
  const results = new WeakMap<Given, Result>()
  return (given) => {
    let result = results.get(given)
    if (result === undefined) {
      result = compute(given)
      results.set(given, result)
    }
    return result
  }
}
