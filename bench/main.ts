import { globSync } from 'node:fs'

/** The modules that `npm run bench -- NAME` runs. Each exports `report()`, which yields tables as they become ready. */
const modules = globSync('**/*.ts', { cwd: import.meta.dirname }).map((path) => path.slice(0, -'.ts'.length))
const suites: Record<string, readonly string[]> = {
  quick: ['decode', 'first-prompt'],
}

const names = process.argv.slice(2).flatMap((name) => suites[name] ?? [name])
const unknown = names.find((name) => !modules.includes(name))
if (names.length === 0 || unknown !== undefined) {
  const listed = [
    ...Object.keys(suites),
    ...modules.filter((name) => !name.includes('/') && name !== 'main' && name !== 'run'),
  ]
  const what = unknown === undefined ? 'a benchmark without its name' : unknown
  console.error(`Cannot run ${what}: npm run bench -- NAME, where NAME is ${listed.join(', ')} or a file below bench/`)
  process.exit(2)
}
for (const name of names) {
  const { report } = (await import(`./${name}.ts`)) as { report(): AsyncIterable<string> }
  for await (const table of report()) console.log(`\n${table}`)
}
