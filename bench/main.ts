/** The modules that `npm run bench -- NAME` runs. Each exports `report()`, which yields tables as they become ready. */
const suites: Record<string, readonly string[]> = {
  quick: ['decode', 'first-prompt'],
}

const names = process.argv.slice(2).flatMap((name) => suites[name] ?? [name])
if (names.length === 0) {
  console.error('Cannot run a benchmark without its name: npm run bench -- quick, or the name of a file in bench/')
  process.exit(2)
}
for (const name of names) {
  const { report } = (await import(`./${name}.ts`)) as { report(): AsyncIterable<string> }
  for await (const table of report()) console.log(`\n${table}`)
}
