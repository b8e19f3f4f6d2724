import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sources } from './source.ts'
import { lineAt, parseSource, visit, type Syntax } from './syntax.ts'

interface Part {
  place: string
  lines: number
}

const syntaxes = sources.map(parseSource)
const functions = syntaxes.flatMap(functionsOf).toSorted((a, b) => a.lines - b.lines)
const classes = syntaxes.flatMap(classesOf)
const files = syntaxes.map(({ file, text }) => ({ place: file, lines: text.split('\n').length - 1 }))

test('half of all functions have at most 10 lines, and nine in ten at most 40', () => {
  assert.ok(functions.length > 1000)
  assert.ok(functions[Math.floor(functions.length / 2)]!.lines <= 10)
  assert.ok(functions[Math.floor(functions.length * 0.9)]!.lines <= 40)
})

test('no file has more than 400 lines', () => {
  assert.deepEqual(longerThan(400, files), [])
})

test('no class has more than 200 lines', () => {
  assert.ok(classes.length > 50)
  assert.deepEqual(longerThan(200, classes), [])
})

function longerThan(limit: number, parts: Part[]): string[] {
  return parts.filter(({ lines }) => lines > limit).map(({ place, lines }) => `${place}: ${lines} lines`)
}

/** Functions and methods; an arrow function counts if it has a body of statements. */
function functionsOf(syntax: Syntax): Part[] {
  const found: Part[] = []
  const add = (node: { start: number; end: number }): number => found.push(partOf(syntax, node))
  visit(syntax, {
    FunctionDeclaration: add,
    FunctionExpression: add,
    ArrowFunctionExpression: (node) => node.expression || add(node),
  })
  return found
}

function classesOf(syntax: Syntax): Part[] {
  const found: Part[] = []
  visit(syntax, { ClassDeclaration: (node) => found.push(partOf(syntax, node)) })
  return found
}

function partOf({ file, text }: Syntax, { start, end }: { start: number; end: number }): Part {
  const line = lineAt(text, start)
  return { place: `${file}:${line}`, lines: lineAt(text, end) - line + 1 }
}
