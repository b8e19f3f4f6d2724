// Checks of packages before they are published. Each returns sentences, none if everything is right.
import type { Manifest } from './manifest.ts'
import type { Packed } from './pack.ts'

export interface ReleaseManifest extends Manifest {
  license?: string
  description?: string
  private?: boolean
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  repository?: { type: string; url: string; directory: string }
  publishConfig?: { access?: string; provenance?: boolean }
}

const ours = /^(?:@colloquy\/|colloquy$)/
/** Bytes of the largest archive that is published. */
const maximum = 1_000_000

/** Compares the names, versions, ranges and settings of the packages. */
export function manifestProblems(manifests: readonly ReleaseManifest[]): string[] {
  const [{ version }] = manifests as [ReleaseManifest]
  return [...manifests.flatMap((each) => problemsOf(each, version)), ...unequalRanges(manifests)]
}

function problemsOf(manifest: ReleaseManifest, version: string): string[] {
  const { name, license, description, publishConfig = {}, repository } = manifest
  const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = manifest
  const ranges = Object.entries({ ...devDependencies, ...dependencies, ...peerDependencies })
  const checks: [boolean, string][] = [
    [ours.test(name), 'the name must be colloquy or begin with @colloquy/'],
    [manifest.version === version, `version ${manifest.version} differs from ${version}, that of the first package`],
    [manifest.private !== true, 'a private package cannot be published'],
    [license === 'MIT', `license ${license} is not MIT`],
    [Boolean(description), 'the description is missing'],
    [publishConfig.access === 'public', 'publishConfig.access must be "public"'],
    [publishConfig.provenance === true, 'publishConfig.provenance must be true'],
    [isRepository(repository), 'provenance needs the field repository with type, url and directory'],
    ...ranges
      .filter(([dependency]) => ours.test(dependency))
      .map(([of, range]): [boolean, string] => [range === version, `${of} must be ${version}: found ${range}`]),
    ...Object.keys(dependencies).map((of): [boolean, string] => [
      !ours.test(of),
      `${of} must be a peer or bundled, or the package does not install from a file`,
    ]),
  ]
  return checks.filter(([holds]) => !holds).map(([, problem]) => `${name}: ${problem}`)
}

function isRepository(repository: ReleaseManifest['repository']): boolean {
  return repository?.type === 'git' && /^git\+https:\/\/\S+\.git$/.test(repository.url) && repository.directory !== ''
}

/** A package that two manifests name with different ranges would be installed twice. */
function unequalRanges(manifests: readonly ReleaseManifest[]): string[] {
  const seen = new Map<string, { name: string; range: string }>()
  const problems: string[] = []
  for (const { name, dependencies = {} } of manifests)
    for (const [of, range] of Object.entries(dependencies)) {
      const other = seen.get(of)
      if (other && other.range !== range)
        problems.push(`${name}: ${of} must be ${other.range}, as in ${other.name}: found ${range}`)
      seen.set(of, { name, range })
    }
  return problems
}

/** The version must have a part of its own with a day, and nothing may be left above. */
export function changelogProblems(changelog: string, version: string): string[] {
  const parts = changelog.split(/^## /m).slice(1)
  const [unreleased = '', newest = ''] = parts
  const heading = newest.split('\n')[0]!
  if (!/^\S+ \(\d{4}-\d\d-\d\d\)$/.test(heading) || !heading.startsWith(`${version} `))
    return [
      `CHANGELOG.md: the part after Unreleased must be ${version} with its day: run npm run release -- ${version}`,
    ]
  if (unreleased.trim() !== 'Unreleased') return [`CHANGELOG.md: Unreleased is not empty, but ${version} is released`]
  return newest.includes('\n- ') ? [] : [`CHANGELOG.md: ${version} lists no change`]
}

/** Looks into an archive: what must be there, and what must not. */
export function tarballProblems({ name, version, size, files }: Packed, manifest: ReleaseManifest): string[] {
  const paths = files.map(({ path }) => path)
  const missing = wantedFiles(manifest).filter((file) => !paths.includes(file))
  const strange = paths.filter(
    (path) => !/^(?:dist\/|console\/|package\.json$|README\.md$|LICENSE$|\w+\.schema\.json$)/.test(path),
  )
  const unwanted = paths.filter((path) => /\.test\.|\.map$|(?<!\.d)\.ts$|\.env|\.db$|\.key$|\.pem$/.test(path))
  return [
    ...(version === manifest.version ? [] : [`the archive has version ${version}`]),
    ...missing.map((file) => `the archive lacks ${file}`),
    ...[...new Set([...strange, ...unwanted])].map((file) => `the archive must not contain ${file}`),
    ...(size <= maximum ? [] : [`the archive has ${size} bytes, more than ${maximum}`]),
  ].map((problem) => `${name}: ${problem}`)
}

/** The files that the manifest promises. */
function wantedFiles({ exports = {}, bin = {}, files }: ReleaseManifest): string[] {
  const targets = [...filesIn(exports), ...Object.values(bin)].filter((file) => file.startsWith('./dist/'))
  const page = files.includes('console') ? ['console/index.html'] : []
  const single = files.filter((file) => file.endsWith('.json'))
  return ['package.json', 'README.md', 'LICENSE', ...targets.map((file) => file.slice(2)), ...page, ...single]
}

function filesIn(conditions: object): string[] {
  return Object.values(conditions).flatMap((each: string | object) =>
    typeof each === 'string' ? [each] : filesIn(each),
  )
}
