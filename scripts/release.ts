// Prepares a release and checks it. `npm run release -- 0.2.0 [REPOSITORY]` writes the version, and the https address of the
// repository, into every manifest and the changelog; `npm run release` builds, packs and checks everything, and prints the
// commands that publish. Neither publishes.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageNames } from './compile.ts'
import { packAll } from './pack.ts'
import { type ReleaseManifest, changelogProblems, manifestProblems, tarballProblems } from './release-checks.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = join(root, 'dist/release')
const isWindows = process.platform === 'win32'

if (import.meta.main) {
  const [version, repository] = process.argv.slice(2)
  process.exitCode = version === undefined ? await check() : prepare(version, repository)
}

/** Writes the version into the manifests, the lockfile and the changelog. */
function prepare(version: string, repository: string | undefined): number {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) return fail([`Cannot release version ${version}: expected 1.2.3`])
  const before = manifests()[0]!.version
  for (const name of ['package.json', ...packageNames.map((each) => `packages/${each}/package.json`)])
    edit(name, (text) => text.replaceAll(`"${before}"`, `"${version}"`))
  if (repository !== undefined) for (const name of packageNames) nameRepository(name, repository)
  edit('packages/console/package.json', (text) => text.replace(`"version": "${before}"`, `"version": "${version}"`))
  // `--package-lock-only` would also remove the binaries of other platforms.
  edit('package-lock.json', (text) => withVersion(text, before, version))
  const day = new Date().toISOString().slice(0, 10)
  edit('CHANGELOG.md', (text) => text.replace('## Unreleased\n', `## Unreleased\n\n## ${version} (${day})\n`))
  process.stdout.write(`Version ${version} is written. Read the changes, commit them, then: npm run release\n`)
  return 0
}

/** Writes where the sources are: npm compares this with the build that attests an archive. */
function nameRepository(name: string, address: string): void {
  edit(`packages/${name}/package.json`, (text) => {
    const manifest = JSON.parse(text) as ReleaseManifest
    const url = `git+${address.replace(/(\.git)?\/?$/, '.git')}`
    manifest.repository = { type: 'git', url, directory: `packages/${name}` }
    return `${JSON.stringify(manifest, undefined, 2)}\n`
  })
}

/** The lockfile with another version of the packages in this repository, and of what they need of each other. */
function withVersion(lockfile: string, before: string, version: string): string {
  const lock = JSON.parse(lockfile) as { version: string; packages: Record<string, Record<string, unknown>> }
  lock.version = version
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path !== '' && !path.startsWith('packages/')) continue
    if (path.includes('node_modules')) continue
    if (entry['version'] === before) entry['version'] = version
    for (const kind of ['dependencies', 'devDependencies', 'peerDependencies']) {
      const wanted = (entry[kind] ?? {}) as Record<string, string>
      for (const name of Object.keys(wanted)) if (/^(@colloquy\/|colloquy$)/.test(name)) wanted[name] = version
    }
  }
  return `${JSON.stringify(lock, undefined, 2)}\n`
}

async function check(): Promise<number> {
  const all = manifests()
  const found = [...manifestProblems(all), ...changelogProblems(read('CHANGELOG.md'), all[0]!.version)]
  if (found.length > 0) return fail(found)
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit', shell: isWindows })
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const packed = await packAll(folder)
  const wrong = packed.flatMap((each, i) => tarballProblems(each, all[i]!))
  if (wrong.length > 0) return fail(wrong)
  const commands = packed.map(
    ({ tarball }) => `npm publish ${tarball.slice(root.length)} --provenance --access public\n`,
  )
  process.stdout.write(`Everything is ready. Nothing was published: that is done by\n\n${commands.join('')}\n`)
  return 0
}

function manifests(): ReleaseManifest[] {
  return packageNames.map((name) => JSON.parse(read(`packages/${name}/package.json`)) as ReleaseManifest)
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(join(root, file), change(read(file)))
}

function fail(problems: readonly string[]): number {
  process.stderr.write(`${problems.join('\n')}\nNothing was published.\n`)
  return 1
}
