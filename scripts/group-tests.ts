/**
 * Writes files that import the tests, twelve each, for `npm test` to run. A process for each file of tests would start, and compile
 * what its neighbours need too, for up to 0.4 s of processor time. Node runs the files in the order of their names.
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
    String.raw`globalThis\.\w+ = |Object\.assign\(globalThis`,
    'setFlagsFromString|startCpuTime',
    // A hook of the file would run around the tests of the others.
    '^(?:before|after)Each\\(',
    // Tests that need all of a database.
    'connectPostgres',
    // Programs of a page, some of which set globals.
    'filesOfPage',
  ].join('|'),
  'm',
)

/** The files that take longest. They begin first: a long one at the end would run alone, with a core idle. */
const isLong = /^test\/(?:console\/\w+|docs|engines\/(?:engines|program)|packaging\/packaging|runtimes\/runtimes)\.test/

/** The files of tests, by the process that runs them, in the order in which they begin: those of their own at the end are short. */
export function testGroups(): string[][] {
  const files = globSync(['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root }).toSorted()
  const long = files.filter((file) => isLong.test(file))
  const short = files.filter((file) => !isLong.test(file))
  const alone = new Set(short.filter((file) => ownsProcess.test(readFileSync(join(root, file), 'utf8'))))
  const others = short.filter((file) => !alone.has(file))
  const groups: string[][] = []
  for (let first = 0; first < others.length; first += groupSize) groups.push(others.slice(first, first + groupSize))
  return [...long.map((file) => [file]), ...groups, ...[...alone].map((file) => [file])]
}

if (import.meta.main) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [index, group] of testGroups().entries()) {
    const imports = group.map(
      (file) => `import ${JSON.stringify(relative(folder, join(root, file)).replaceAll('\\', '/'))}\n`,
    )
    writeFileSync(join(folder, `${String(index + 1).padStart(3, '0')}.js`), imports.join(''))
  }
}
