// The files of .github, as far as they can be checked elsewhere.
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { read, root } from './source.ts'

interface Workflow {
  jobs: Record<string, { strategy?: { matrix: { os: string[] } }; steps: { run?: string; uses?: string }[] }>
}

interface Form {
  name: string
  description: string
  body: { type: string; id?: string; attributes: { label?: string; value?: string } }[]
}

const { jobs } = parse(read('.github/workflows/test.yml')) as Workflow

test('the workflow runs npm test on Linux, macOS and Windows', () => {
  const { strategy, steps } = jobs['test']!
  assert.deepEqual(
    strategy!.matrix.os.map((os) => os.split('-')[0]),
    ['ubuntu', 'macos', 'windows'],
  )
  assert.ok(steps.some(({ run }) => run === 'npm test'))
})

test('the workflow runs scripts that exist, and actions of GitHub only', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const steps = Object.values(jobs).flatMap((job) => job.steps)
  const named = steps.flatMap(({ run = '' }) => /^npm run ([\w:]+)/.exec(run)?.[1] ?? [])
  assert.ok(named.length >= 5)
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    [],
  )
  for (const { uses } of steps) if (uses !== undefined) assert.match(uses, /^actions\/[\w-]+@v\d+$/)
})

test('each issue form has a name, labelled fields and ids of its own', () => {
  const forms = globSync('.github/ISSUE_TEMPLATE/*.yml', { cwd: root }).filter((file) => !file.endsWith('config.yml'))
  assert.equal(forms.length, 2)
  for (const file of forms) {
    const { name, description, body } = parse(read(file)) as Form
    assert.ok(name && description, file)
    const fields = body.filter(({ type }) => type !== 'markdown')
    for (const { id, attributes } of fields) assert.ok(id && attributes.label, file)
    assert.equal(new Set(fields.map(({ id }) => id)).size, fields.length, file)
  }
})
