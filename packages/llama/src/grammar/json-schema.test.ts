import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { integerRange } from './integer-range.ts'
import { jsonGrammar } from './json-schema.ts'

/** Whether the whole text is of the grammar: a backtracking matcher of the notation, as far as the package writes it. */
function accepts(grammar: string, text: string): boolean {
  const rules = new Map(grammar.split('\n').map((line) => line.split(' ::= ') as [string, string]))
  const parsed = new Map<string, Node>()
  const rule = (name: string): Node => {
    if (!parsed.has(name)) parsed.set(name, parse(rules.get(name) ?? assert.fail(`no rule ${name}`)))
    return parsed.get(name)!
  }
  const match = (node: Node, at: number, next: (at: number) => boolean): boolean => {
    if (node.kind === 'text') return text.startsWith(node.text, at) && next(at + node.text.length)
    if (node.kind === 'class') return at < text.length && node.pattern.test(text[at]!) && next(at + 1)
    if (node.kind === 'name') return match(rule(node.name), at, next)
    if (node.kind === 'choice') return node.parts.some((part) => match(part, at, next))
    if (node.kind === 'sequence') {
      const from = (index: number, place: number): boolean =>
        index === node.parts.length ? next(place) : match(node.parts[index]!, place, (after) => from(index + 1, after))
      return from(0, at)
    }
    const times = (count: number, place: number): boolean =>
      (count < node.max &&
        match(node.part, place, (after) => (after > place || count < node.min) && times(count + 1, after))) ||
      (count >= node.min && next(place))
    return times(0, at)
  }
  return match(rule('root'), 0, (at) => at === text.length)
}

type Node =
  | { kind: 'text'; text: string }
  | { kind: 'class'; pattern: RegExp }
  | { kind: 'name'; name: string }
  | { kind: 'choice'; parts: Node[] }
  | { kind: 'sequence'; parts: Node[] }
  | { kind: 'repeat'; part: Node; min: number; max: number }

function parse(source: string): Node {
  const tokens = source.match(/"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|[()|*+?]|\{\d+(?:,\d*)?\}|[\w-]+/g)!
  let at = 0
  const alternatives = (): Node => {
    const parts = [sequence()]
    while (tokens[at] === '|') {
      at++
      parts.push(sequence())
    }
    return { kind: 'choice', parts }
  }
  const sequence = (): Node => {
    const parts: Node[] = []
    while (at < tokens.length && tokens[at] !== ')' && tokens[at] !== '|') {
      let node = atom(tokens[at++]!)
      for (; /^(?:[*+?]|\{.*\})$/.test(tokens[at] ?? ''); at++) {
        const [, min = '0', comma = '', max = ''] = /^\{(\d+)(,?)(\d*)\}$/.exec(tokens[at]!) ?? []
        const fixed = { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] }[tokens[at]!]
        const [from, to] = fixed ?? [Number(min), comma === '' ? Number(min) : max === '' ? Infinity : Number(max)]
        node = { kind: 'repeat', part: node, min: from!, max: to! }
      }
      parts.push(node)
    }
    return { kind: 'sequence', parts }
  }
  const atom = (token: string): Node => {
    if (token === '(') {
      const inner = alternatives()
      at++
      return inner
    }
    if (token.startsWith('"')) return { kind: 'text', text: JSON.parse(token) as string }
    return token.startsWith('[')
      ? { kind: 'class', pattern: new RegExp(`^${token}$`, 's') }
      : { kind: 'name', name: token }
  }
  return alternatives()
}

function assertTexts(schema: object, valid: string[], invalid: string[]): void {
  const grammar = jsonGrammar(schema, 'schema')
  for (const text of valid) assert.ok(accepts(grammar, text), `${text} is missing from\n${grammar}`)
  for (const text of invalid) assert.ok(!accepts(grammar, text), `${text} is in\n${grammar}`)
}

describe('jsonGrammar()', () => {
  const s = { type: 'string' }
  const cases: [name: string, schema: object, valid: string[], invalid: string[]][] = [
    ['any value', {}, ['1', '"a"', '{"a":[true, null]}', '[]'], ['', 'a', '{']],
    ['strings', s, ['""', '"a\\n\\u00e9é"'], ['"', '"\n"', '"\\x"', 'a']],
    ['lengths', { ...s, minLength: 1, maxLength: 3 }, ['"a"', '"abc"', '"\\n\\n"'], ['""', '"abcd"']],
    ['enum and const', { enum: ['a"b', 1, null] }, ['"a\\"b"', '1', 'null'], ['"a"', '2']],
    ['const', { const: { a: [1] } }, ['{"a":[1]}'], ['{}']],
    ['types', { type: ['string', 'null'] }, ['"a"', 'null'], ['1']],
    [
      'anyOf with a keyword beside it',
      { type: 'object', required: ['a'], anyOf: [{ properties: { a: s } }, { properties: { a: { type: 'null' } } }] },
      ['{"a":"x"}', '{"a":null}'],
      ['{"a":1}', '{}'],
    ],
    [
      'allOf',
      {
        allOf: [
          { type: 'object', properties: { a: s }, required: ['a'] },
          { properties: { b: s }, required: ['b'] },
        ],
      },
      ['{"a":"", "b":""}'],
      ['{"a":""}'],
    ],
    [
      'required and other members',
      { type: 'object', properties: { a: s, b: s, c: s }, required: ['b'] },
      ['{"b":""}', '{"b":"", "a":""}', '{"b":"","a":"","c":""}'],
      ['{"a":""}', '{}', '{"b":"", "x":""}'],
    ],
    [
      'no required members',
      { type: 'object', properties: { a: s, b: s } },
      ['{}', '{"a":""}', '{"b":""}', '{"a":"", "b":""}'],
      ['{,"b":""}', '{"b":"", "a":""}'],
    ],
    [
      'free members',
      { type: 'object', additionalProperties: { type: 'integer' } },
      ['{}', '{"x":1}', '{"x":1, "y":-2}'],
      ['{"x":""}'],
    ],
    ['no members', { type: 'object', additionalProperties: false }, ['{}'], ['{"a":1}']],
    [
      'arrays',
      { type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 2 },
      ['[true]', '[true, false]'],
      ['[]', '[true,true,true]', '[1]'],
    ],
    ['tuples', { type: 'array', prefixItems: [s, { type: 'null' }] }, ['["a", null]'], ['["a"]', '["a",null,1]']],
    [
      'references to itself',
      { $ref: '#/$defs/node', $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } } },
      ['{}', '{"next":{"next":{}}}'],
      ['{"next":1}'],
    ],
    ['integers', { type: 'integer' }, ['0', '-12'], ['01', '1.5', '']],
    ['numbers', { type: 'number' }, ['0', '-1.5e10'], ['.5', '1.']],
    ['numbers from 0 on', { type: 'number', minimum: 0 }, ['0.5'], ['-1']],
    ['dates', { ...s, format: 'date' }, ['"2026-11-26"'], ['"2026-13-01"', '"today"']],
    [
      'patterns',
      { ...s, pattern: '^[A-Z]{2}-\\d{2,3}(?:a|b.)?$' },
      ['"AB-12"', '"AB-123bx"'],
      ['"AB-1"', '"xAB-12"', '"AB-12b"'],
    ],
    ['patterns without anchors', { ...s, pattern: 'b+' }, ['"abbc"'], ['"ac"']],
    [
      'names with signs',
      { type: 'object', properties: { 'a"é\n': s }, required: ['a"é\n'] },
      [`{${JSON.stringify('a"é\n')}:""}`],
      ['{}'],
    ],
  ]
  for (const [name, schema, valid, invalid] of cases) test(name, () => assertTexts(schema, valid, invalid))

  for (const [keyword, schema] of Object.entries({
    not: { not: {} },
    if: { if: {}, then: {} },
    uniqueItems: { type: 'array', uniqueItems: true },
    multipleOf: { type: 'number', multipleOf: 2 },
    'a bound of a number': { type: 'number', maximum: 2 },
    'the schema false': { type: 'object', properties: { a: false } },
    '$ref #/nowhere': { $ref: '#/nowhere' },
    'a minimum of 2 and a maximum of 1': { type: 'integer', minimum: 2, maximum: 1 },
    'a group that looks around': { type: 'string', pattern: '(?=a)' },
  })) {
    test(`refuses ${keyword}, which a grammar cannot hold`, () => {
      assert.throws(() => jsonGrammar(schema, 'tools.x'), {
        status: 400,
        message: new RegExp(keyword.replace(/[$()#/]/g, '\\$&')),
      })
    })
  }
})

test('integerRange() holds exactly the integers of the range', () => {
  const bound = fc.oneof(fc.integer({ min: -1200, max: 1200 }), fc.constantFrom(-Infinity, Infinity))
  fc.assert(
    fc.property(bound, bound, fc.integer({ min: -1500, max: 1500 }), (a, b, value) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)]
      if (low === high && !Number.isFinite(low)) return
      assert.equal(
        accepts(`root ::= ${integerRange(low, high)}`, String(value)),
        value >= low && value <= high,
        `${value} in ${low}..${high}`,
      )
    }),
    { numRuns: 500 },
  )
})
