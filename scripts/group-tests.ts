/**
 * Writes files that import the tests of the packages, twelve each, for `npm test` to run. A process for each file of tests would
 * start, and compile what its neighbours need too, for up to 0.4 s of processor time.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'test/dist')

/** The files of a group. More of them save little, and let the other processes wait for the last group. */
const groupSize = 12

/** Code that changes or measures the whole process, so that its file shares it with no other. */
const ownsProcess = new RegExp(
  [
    String.raw`process\.env(?:\.\w+|\[[^\]]+\])? (?:\?\?)?= `,
    String.raw`(?:delete |Object\.assign\()process\.env`,
    String.raw`process\.(?:on|once|umask|chdir|memoryUsage|cpuUsage)\(|process\.exitCode = `,
    String.raw`globalThis\.\w+ = `,
    'setFlagsFromString|startCpuTime',
    // A hook of the file would run around the tests of the others.
    '^(?:before|after)Each\\(',
    // Tests that need all of a database.
    'connectPostgres',
  ].join('|'),
  'm',
)

/** The files of tests of the packages, by the process that runs them. */
export function testGroups(): string[][] {
  const files = globSync('packages/*/src/**/*.test.ts', { cwd: root }).toSorted()
  const alone = new Set(files.filter((file) => ownsProcess.test(readFileSync(join(root, file), 'utf8'))))
  const groups = [...alone].map((file) => [file])
  const others = files.filter((file) => !alone.has(file))
  for (let first = 0; first < others.length; first += groupSize) groups.push(others.slice(first, first + groupSize))
  return groups
}

if (import.meta.main) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [index, group] of testGroups().entries()) {
    const imports = group.map(
      (file) => `import ${JSON.stringify(relative(folder, join(root, file)).replaceAll('\\', '/'))}\n`,
    )
    writeFileSync(join(folder, `${index + 1}.js`), imports.join(''))
  }
}
