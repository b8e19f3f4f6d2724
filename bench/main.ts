import { print } from './run.ts'

/** `npm run bench -- quick`: what each name runs. A module exports `results()`. */
const suites: Record<string, readonly string[]> = {
  quick: ['decode', 'append', 'first-prompt'],
}

const names = process.argv.slice(2).flatMap((name) => suites[name] ?? [name])
if (names.length === 0) {
  console.error(`Cannot run a benchmark without its name: npm run bench -- ${Object.keys(suites).join(' | ')} | FILE`)
  process.exit(2)
}
for (const name of names) {
  const { results } = (await import(`./${name}.ts`)) as { results(): AsyncIterable<Parameters<typeof print>[0]> }
  for await (const result of results()) print(result)
}
