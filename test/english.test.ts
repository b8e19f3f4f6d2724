import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { proseOfPage, proseOfSource, type Prose } from './prose.ts'
import { root } from './source.ts'

// One folder only, while working on it: FILTER=packages/cli npm run english
const { FILTER: filter = '' } = process.env

interface Rule {
  pattern: RegExp
  advice: string
  /** Kinds of text that the rule leaves alone. */
  except?: Prose['kind'][]
}

const nounClause = 'What|Of|Whom|Whose|Who|Whoever|Which|With what|With which|By whom|Where|Those of|That of'

const rules: Rule[] = [
  {
    pattern: new RegExp(`(?<=^\\s*|[.!?:;]\\s+)(?:${nounClause})\\b(?![^.!?]*\\?)`, 'g'),
    advice: 'begin with the thing itself: a noun or a verb',
    except: ['heading'],
  },
  {
    pattern: /(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more than\b|less than\b|fewer than\b)[a-z]/gi,
    advice: '"is not a", "has no" or "there is no"',
  },
  { pattern: /\banew\b/gi, advice: '"again"' },
  { pattern: /\breckon/gi, advice: '"count", "calculate" or "estimate"' },
  { pattern: /\bwho(?:m)?ever\b/gi, advice: 'name the actor: the caller, the reader, another process' },
  { pattern: /\b(?:nobody|somebody)\b/gi, advice: 'name the actor: the caller, the reader, another process' },
  { pattern: /\bso (?:many|much) of the (?:first|last)\b/gi, advice: '"the first n"' },
  { pattern: /\bunder ?way\b/gi, advice: '"in flight" or "running"' },
  { pattern: /\bask(?:s|ed|ing)? (?:\w+ )?again\b/gi, advice: '"retry" or "send the request again"' },
  { pattern: /\bdoors?\b/gi, advice: '"entry point"' },
  { pattern: /\b(?:go|goes|going|gone|went) on\b/gi, advice: '"continue"' },
  {
    pattern: /\b(?:undefined|null|none|only|except|but|even|also|and|or|zero|true|false) where\b/gi,
    advice: '"if", "when" or "unless"',
  },
]

/** Texts that must break a rule. A test below fails if one of them no longer does. */
const exempt: { file: string; text: string; reason: string }[] = []

const tests = '**/*.test.ts'
const prose = [
  ...globSync(['packages/*/src/**/*.{ts,tsx}', 'scripts/**/*.{ts,js}'], { cwd: root, exclude: [tests] }).flatMap(
    (file) => proseOfSource(file, 'all'),
  ),
  ...globSync(['packages/*/src/**/*.test.{ts,tsx}', 'test/**/*.ts'], { cwd: root }).flatMap((file) =>
    proseOfSource(file, 'titles'),
  ),
  ...globSync(['bench/**/*.ts', 'examples/**/*.ts'], { cwd: root }).flatMap((file) => proseOfSource(file, 'none')),
  ...globSync(['*.md', 'docs/**/*.md', 'examples/*.md', 'packages/*/README.md'], { cwd: root }).flatMap(proseOfPage),
].filter(({ file }) => file.startsWith(filter) && file !== 'test/english.test.ts')

test('comments, pages, titles and errors are plain English', () => {
  const breaches = prose
    .flatMap(breachesOf)
    .filter(({ text, file }) => !exempt.some((e) => e.file === file && text.includes(e.text)))
  const report = breaches.map(({ file, line, found, advice }) => `${file}:${line}: "${found}": ${advice}`)
  if (report.length > 0) assert.fail(`${report.length} breaches\n${report.toSorted().join('\n')}`)
})

test('each exempt text still needs its exemption', { skip: filter !== '' && 'only some files were read' }, () => {
  const broken = prose.flatMap(breachesOf)
  const needless = exempt.filter((e) => !broken.some(({ file, text }) => file === e.file && text.includes(e.text)))
  assert.deepEqual(needless, [])
})

test('the rules find what they are for', () => {
  const find = (text: string): number => breachesOf({ file: 'a.ts', line: 1, kind: 'comment', text }).length
  const wrong = [
    'What is held.',
    'The body. Of the reply.',
    'It is no key.',
    'whoever asks',
    'Undefined where unlimited.',
  ]
  const right = [
    'What is held?',
    'The body of a reply.',
    'It is not a key.',
    'There is no key.',
    'It is no longer one.',
  ]
  assert.deepEqual(
    wrong.map(find),
    wrong.map(() => 1),
  )
  assert.deepEqual(
    right.map(find),
    right.map(() => 0),
  )
})

function breachesOf({
  file,
  line,
  kind,
  text,
}: Prose): { file: string; line: number; text: string; found: string; advice: string }[] {
  return rules
    .filter(({ except = [] }) => !except.includes(kind))
    .flatMap(({ pattern, advice }) =>
      [...text.matchAll(pattern)].map(({ index }) => {
        const before = text.slice(0, index)
        const found = text.slice(Math.max(0, index - 20), index + 50).replaceAll(/\s+/g, ' ')
        return { file, line: line + before.split('\n').length - 1, text, found, advice }
      }),
    )
}
