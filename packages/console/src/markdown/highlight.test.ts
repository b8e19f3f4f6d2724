import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import highlighter from 'highlight.js/lib/core'
import { decodeEntities } from '../../../cli/src/markdown/entities.ts'
import { linesOf, linesPerPart } from './code-lines.ts'
import { type Coloured, type Highlighted, highlight } from './highlight.ts'

test('code is divided into parts of whole lines, in colour as without', async () => {
  const line = fc.constantFrom('let x = 1', '/*', '*/', '`${y', '}`', '', 'a < b && "c"')
  const property = fc.asyncProperty(fc.array(line, { maxLength: 200 }), async (lines) => {
    const code = lines.join('\n')
    const parts = (await highlight(code, 'ts'))!.parts.map(textOf)
    assert.deepEqual(parts.join(''), code)
    assert.deepEqual(parts.filter(Boolean), linesOf(code))
    for (const part of parts) assert.ok(part.split('\n').length <= linesPerPart + 1)
  })
  await fc.assert(property, { numRuns: 30 })
})

test('a comment continues in the next part', async () => {
  const { parts } = (await highlight(`/*${'\n'.repeat(linesPerPart + 1)}*/`, 'ts'))!
  assert.deepEqual(
    parts.map((part) => part.map((each) => typeof each === 'object' && each.scope)),
    [['hljs-comment'], ['hljs-comment']],
  )
})

test('code that grows has the colours of the whole, and its finished parts stay as they are', async () => {
  const files = ['src/markdown/block-lexer.ts', 'src/style/chat.css', 'index.html', 'package.json']
  for (const file of [...files, '../../docs/console.md', '../../deploy/compose.yaml', '../../test/clients/python.ts']) {
    const code = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').replaceAll('\r', '')
    const language = file.split('.').at(-1)!
    const whole = await coloursOf(code, language)
    let grown: Coloured | undefined
    for (let length = 0; length < code.length + 1_500; length += 1_500) {
      const before: Coloured | undefined = grown
      grown = await highlight(code.slice(0, length), language, before)
      const kept = before?.parts.slice(0, before.finished) ?? []
      assert.ok(kept.every((part, index) => part === grown?.parts[index]))
    }
    assert.deepEqual(joined(spansOf(grown!.parts.flat())), whole, file)
    if (code.length > 10_000 && language !== 'md') assert.ok(grown!.finishedLength > code.length / 2, file)
  }
})

type Span = [scopes: string, text: string]

/** The scopes of code that is read at once. */
async function coloursOf(code: string, language: string): Promise<Span[]> {
  const name = { html: 'xml', md: 'markdown', py: 'python', ts: 'typescript' }[language] ?? language
  await highlight('', name)
  const { value } = highlighter.highlight(code, { language: name, ignoreIllegals: true })
  const scopes: string[] = []
  const spans: Span[] = []
  for (const [, scope, text] of value.matchAll(/<span class="([^"]*)">|<\/span>|([^<]+)/g)) {
    if (scope !== undefined) scopes.push(scope)
    else if (text === undefined) scopes.pop()
    else spans.push([scopes.join('/'), decodeEntities(text)])
  }
  return joined(spans)
}

function spansOf(parts: readonly Highlighted[], scopes: readonly string[] = []): Span[] {
  return parts.flatMap((part): Span[] => {
    return typeof part === 'string' ? [[scopes.join('/'), part]] : spansOf(part.children, [...scopes, part.scope])
  })
}

/** The spans with neighbours of the same scopes as one. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = []
  for (const [scopes, text] of spans) {
    const last = all.at(-1)
    if (last?.[0] === scopes) last[1] += text
    else all.push([scopes, text])
  }
  return all
}

function textOf(parts: readonly Highlighted[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : textOf(part.children))).join('')
}
