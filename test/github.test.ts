// The files of .github, as far as they can be checked elsewhere.
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { checkJson, type JsonSchema } from 'colloquy/protocol'
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

const workflows = globSync('.github/workflows/*.yml', { cwd: root }).toSorted()
const { jobs } = parse(read('.github/workflows/test.yml')) as Workflow

const text: JsonSchema = { type: 'string', minLength: 1 }
const record: JsonSchema = { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } }
const permissions: JsonSchema = { type: 'object', additionalProperties: { enum: ['read', 'write', 'none'] } }
const step: JsonSchema = {
  type: 'object',
  properties: { name: text, id: text, if: text, uses: text, run: text, with: record, env: record, shell: text },
  oneOf: [{ required: ['uses'] }, { required: ['run'] }],
  additionalProperties: false,
}
const job: JsonSchema = {
  type: 'object',
  properties: {
    'runs-on': text,
    'timeout-minutes': { type: 'integer', minimum: 1, maximum: 360 },
    needs: text,
    environment: text,
    permissions,
    strategy: {
      type: 'object',
      properties: { 'fail-fast': { type: 'boolean' }, matrix: { type: 'object', minProperties: 1 } },
      additionalProperties: false,
    },
    steps: { type: 'array', items: step, minItems: 1 },
  },
  required: ['runs-on', 'timeout-minutes', 'steps'],
  additionalProperties: false,
}
/** The part of the syntax of workflows that those of this repository use. GitHub ignores a key that is spelt wrong. */
const workflow: JsonSchema = {
  type: 'object',
  properties: {
    name: text,
    on: { type: 'object', propertyNames: { enum: ['push', 'pull_request', 'workflow_dispatch'] }, minProperties: 1 },
    permissions,
    concurrency: { type: 'object', properties: { group: text, 'cancel-in-progress': { type: 'boolean' } } },
    jobs: { type: 'object', additionalProperties: job, minProperties: 1 },
  },
  required: ['name', 'on', 'permissions', 'jobs'],
  additionalProperties: false,
}

for (const file of workflows)
  test(`${file} has the syntax of a workflow`, () => {
    const found = parse(read(file)) as { jobs: Record<string, { needs?: string; strategy?: { matrix: object } }> }
    assert.deepEqual(checkJson(workflow, found), [])
    for (const [name, { needs, strategy }] of Object.entries(found.jobs)) {
      assert.ok(needs === undefined || needs in found.jobs, `${name} needs ${needs}`)
      const values = ['github.ref', 'runner.os', ...Object.keys(strategy?.matrix ?? {}).map((key) => `matrix.${key}`)]
      const used = [...JSON.stringify(found.jobs[name]).matchAll(/\$\{\{ *([^}]*?) *\}\}/g)].map(([, value]) => value!)
      assert.deepEqual(
        used.filter((value) => !values.includes(value)),
        [],
      )
    }
  })

test('a key of a workflow that is spelt wrong is found', () => {
  const found = parse(read(workflows[0]!)) as { jobs: Record<string, Record<string, unknown>> }
  const [first] = Object.keys(found.jobs)
  found.jobs[first!]!['runs_on'] = 'ubuntu-latest'
  assert.equal(checkJson(workflow, found).length, 1)
})

test('the workflow runs npm test on Linux, macOS and Windows', () => {
  const { strategy, steps } = jobs['test']!
  assert.deepEqual(
    strategy!.matrix.os.map((os) => os.split('-')[0]),
    ['ubuntu', 'macos', 'windows'],
  )
  assert.ok(steps.some(({ run }) => run === 'npm test'))
})

test('the workflows run scripts that exist, and actions of GitHub only', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const all = workflows.map((file) => parse(read(file)) as Workflow)
  const steps = all.flatMap((each) => Object.values(each.jobs).flatMap((one) => one.steps))
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
