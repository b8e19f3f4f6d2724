import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { testGroups } from '../scripts/group-tests.ts'
import { read, root } from './source.ts'

/** The files of a commit, without pictures: any bytes may look like a word. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(
    (file) =>
      file !== '' && file !== 'test/repository.test.ts' && !file.endsWith('.png') && existsSync(join(root, file)),
  )

test('no file contains a path of the machine it was written on', () => {
  assert.deepEqual(lines(/(?<![\w.~-])\/(?:home|Users|root|work|tmp)\/\w|[A-Z]:\\Users/), [])
})

test('no file names a registry to download from', () => {
  assert.deepEqual(lines(/https?:\/\/[^/\s]*\b(?:registry|npm)\b[^/\s]*\/[^\s]*\.tgz|registry\s*=/), [])
})

test('no file has a TODO', () => {
  assert.deepEqual(lines(/\b(?:TODO|FIXME|XXX)\b/), [])
})

function lines(pattern: RegExp): string[] {
  return files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 100)}`] : [])),
  )
}

test('npm test runs each test file once, alone if it changes the process', () => {
  const groups = testGroups()
  assert.deepEqual(groups.flat().toSorted(), globSync('{packages/*/src,test}/**/*.test.ts', { cwd: root }).toSorted())
  for (const file of groups.filter((group) => group.length > 1).flat())
    assert.doesNotMatch(read(file), /^\s*process\.env\[.*?\] = |setFlagsFromString|startCpuTime/m, file)
})
