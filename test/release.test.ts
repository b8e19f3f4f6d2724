import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { packageNames } from '../scripts/compile.ts'
import {
  type ReleaseManifest,
  changelogProblems,
  manifestProblems,
  tarballProblems,
} from '../scripts/release-checks.ts'
import { read } from './source.ts'

const manifests = packageNames.map((name) => JSON.parse(read(`packages/${name}/package.json`)) as ReleaseManifest)
const [library, , server] = manifests as [ReleaseManifest, ReleaseManifest, ReleaseManifest]

describe('the checks of a release', () => {
  test('the manifests lack only the address of the repository', () => {
    const problems = manifestProblems(manifests)
    assert.deepEqual(
      problems.filter((each) => !each.endsWith('provenance needs the field repository with type, url and directory')),
      [],
    )
  })

  const repository = { type: 'git', url: 'git+https://example.com/colloquy.git', directory: 'packages/x' }
  const complete = manifests.map((each) => ({ ...each, repository }))
  const wrong: [string, Partial<ReleaseManifest>, string][] = [
    ['a strange name', { name: 'other' }, 'other: the name must be colloquy or begin with @colloquy/'],
    ['another version', { version: '9.0.0' }, 'version 9.0.0 differs'],
    ['a private package', { private: true }, 'a private package cannot be published'],
    ['no provenance', { publishConfig: { access: 'public' } }, 'publishConfig.provenance must be true'],
    ['no repository', { repository: { ...repository, url: '' } }, 'provenance needs the field repository'],
    ['a peer of another version', { peerDependencies: { colloquy: '*' } }, 'colloquy must be 0.1.0: found *'],
    ['one of ours as a dependency', { dependencies: { colloquy: '0.1.0' } }, 'colloquy must be a peer or bundled'],
    [
      'an unequal range',
      { dependencies: { 'prom-client': '1.0.0' } },
      '@colloquy/cli: prom-client must be 1.0.0, as in @colloquy/server',
    ],
  ]
  test('complete manifests pass', () => assert.deepEqual(manifestProblems(complete), []))
  for (const [name, change, expected] of wrong)
    test(`${name} is refused`, () => {
      const changed = complete.map((each) => (each.name === server.name ? { ...each, ...change } : each))
      const problems = manifestProblems(changed)
      assert.ok(
        problems.some((each) => each.includes(expected)),
        problems.join('\n'),
      )
    })

  test('the changelog must have the version and nothing above it', () => {
    const log = (above: string, heading: string, changes = '- One.') =>
      changelogProblems(`# Changelog\n\n## Unreleased\n\n${above}## ${heading}\n\n${changes}\n`, '1.2.0')
    assert.deepEqual(log('', '1.2.0 (2026-01-02)'), [])
    assert.match(log('', '1.2.0').join('\n'), /must be 1\.2\.0 with its day/)
    assert.match(log('', '1.1.0 (2026-01-02)').join('\n'), /must be 1\.2\.0 with its day/)
    assert.match(log('- More.\n\n', '1.2.0 (2026-01-02)').join('\n'), /Unreleased is not empty/)
    assert.match(log('', '1.2.0 (2026-01-02)', 'Nothing.').join('\n'), /lists no change/)
  })

  test('an archive must have the promised files and no others', () => {
    const wanted = ['package.json', 'README.md', 'LICENSE', ...targets(library.exports!)]
    const problems = (paths: string[], size = 1): string[] =>
      tarballProblems(
        { ...library, tarball: '', size, unpackedSize: 1, files: paths.map((path) => ({ path, size: 1 })) },
        library,
      )
    assert.deepEqual(problems(wanted), [])
    assert.deepEqual(problems(wanted.slice(1)), ['colloquy: the archive lacks package.json'])
    for (const path of ['src/index.ts', 'dist/a.test.js', 'dist/a.js.map', '.env', 'dist/server.key', 'notes.md'])
      assert.deepEqual(problems([...wanted, path]), [`colloquy: the archive must not contain ${path}`])
    assert.match(problems(wanted, 2_000_000).join('\n'), /more than 1000000/)
  })
})

function targets(conditions: object): string[] {
  return Object.values(conditions)
    .flatMap((each: string | object) => (typeof each === 'string' ? [each] : targets(each)))
    .filter((file) => file.startsWith('./dist/') || file.startsWith('dist/'))
    .map((file) => file.replace('./', ''))
}
