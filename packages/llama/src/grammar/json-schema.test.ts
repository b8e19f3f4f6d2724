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
    if (node.kind === 'class') {
      const sign = at < text.length ? String.fromCodePoint(text.codePointAt(at)!) : ''
      return sign !== '' && node.pattern.test(sign) && next(at + sign.length)
    }
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

/** The lengths of the shortest and the longest text. Every repetition is one that llama.cpp counts. */
function lengths(grammar: string): [shortest: number, longest: number] {
  const rules = new Map(grammar.split('\n').map((line) => line.split(' ::= ') as [string, string]))
  const of = (node: Node): [number, number] => {
    if (node.kind === 'name') return of(parse(rules.get(node.name)!))
    if (node.kind === 'text') return [node.text.length, node.text.length]
    if (node.kind === 'class') return [1, 1]
    if (node.kind === 'repeat') {
      assert.ok(node.max <= 2000)
      const [shortest, longest] = of(node.part)
      return [shortest * node.min, longest * node.max]
    }
    const parts = node.parts.map(of)
    if (node.kind === 'choice')
      return [Math.min(...parts.map(([shortest]) => shortest)), Math.max(...parts.map(([, longest]) => longest))]
    return parts.reduce(([a, b], [shortest, longest]) => [a + shortest, b + longest], [0, 0])
  }
  return of({ kind: 'name', name: 'root' })
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
    if (token.startsWith('"')) return { kind: 'text', text: JSON.parse(inJson(token)) as string }
    return token.startsWith('[')
      ? { kind: 'class', pattern: new RegExp(`^${token.replaceAll(/\\U([\da-f]{8})/g, '\\u{$1}')}$`, 'su') }
      : { kind: 'name', name: token }
  }
  return alternatives()
}

/** A text of the notation with the escapes of JSON. */
function inJson(token: string): string {
  return token.replaceAll(/\\(?:(\\)|x([\da-f]{2})|U([\da-f]{8}))/g, (all, backslash, two, eight) =>
    backslash === undefined ? String.fromCodePoint(Number.parseInt(two ?? eight, 16)) : all,
  )
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
    [
      'patterns with ranges over the signs that JSON escapes',
      { ...s, pattern: '^[ -~]{2}$' },
      ['"ab"', '"a\\""', '"\\\\ "', '"[]"'],
      ['"a""', '"\\a"', '"é "', '"a"'],
    ],
    [
      'patterns with sets of sets',
      { ...s, pattern: '^[^\\d\\s-][\\D][\\x41\\u0042\\u{43}]\\n$' },
      ['"xyA\\n"', '"é C\\n"'],
      ['"x1A\\n"', '"-yA\\n"', '"\\tyA\\n"', '"xyD\\n"'],
    ],
    ['patterns that end with a backslash', { ...s, pattern: '^a\\\\$' }, ['"a\\\\"'], ['"a"', '"a\\\\b"', '"a$"']],
    [
      'patterns with characters beyond 16 bits',
      { ...s, pattern: '^😀+[😀-😂]{2}$' },
      ['"😀😀😁"', '"😀😀😂😂"'],
      ['"😀"', '"😀😀😃"'],
    ],
    ['a point in a pattern', { ...s, pattern: '^.$' }, ['"a"', '"\\""', '"\\t"'], ['"\\n"', '""']],
    [
      'texts beyond 16 bits',
      { enum: ['😀', '😀😀', '🎉', '\ud800'] },
      ['"😀"', '"😀😀"', '"🎉"', '"\\ud800"'],
      ['"😀🎉"'],
    ],
    [
      'enums whose values begin alike',
      { enum: ['a', 'abc', 'abd', 'b', 'a', ''] },
      ['"a"', '"abc"', '"abd"', '"b"', '""'],
      ['"ab"', '"abcd"'],
    ],
    [
      'enums beside other keywords',
      { type: 'integer', enum: ['a', 1, 2.5, 7], maximum: 5 },
      ['1'],
      ['"a"', '2.5', '7'],
    ],
    ['references with keywords beside them', { $defs: { a: s }, $ref: '#/$defs/a', maxLength: 1 }, ['"a"'], ['"ab"']],
    ['references with escapes', { $defs: { 'a b/c': s }, $ref: '#/$defs/a%20b~1c' }, ['"a"'], ['1']],
    ['a bound without a type', { minimum: 0 }, ['1'], ['-1', '"a"']],
    [
      'one property of two schemas',
      { type: 'object', allOf: [{ properties: { a: s } }, { properties: { a: { minLength: 2 } }, required: ['a'] }] },
      ['{"a":"bc"}'],
      ['{"a":"b"}'],
    ],
    ['tuples that may end earlier', { prefixItems: [s, s], maxItems: 1 }, ['["a"]'], ['["a", "b"]', '[]']],
    ['tuples that have to go on', { prefixItems: [s], minItems: 2 }, ['["a", 1]'], ['["a"]', '["a", 1, 2]']],
    ['names of objects of JavaScript', { type: 'object', required: ['constructor'] }, ['{"constructor":1}'], ['{}']],
    ['formats that are none', { ...s, format: 'constructor' }, ['"a"'], ['a']],
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
    'found {3,1}': { type: 'string', pattern: 'x{3,1}' },
    'a range without an order': { type: 'string', pattern: '[z-a]' },
    'a class without a character': { type: 'string', pattern: '[]' },
    'minLength 3 and maxLength 1': { type: 'string', minLength: 3, maxLength: 1 },
    'minItems 3 and maxItems 1': { type: 'array', minItems: 3, maxItems: 1 },
    'minItems 1 beside items false': { type: 'array', minItems: 1, items: false },
    'minItems 10001': { type: 'array', minItems: 10_001 },
    'minLength -1': { type: 'string', minLength: -1 },
    'maximum "3"': { type: 'integer', maximum: '3' },
    'an integer beyond 999999999999999': { type: 'integer', minimum: 1e20 },
    'enum []': { enum: [] },
    'enum "abc"': { enum: 'abc' },
    'anyOf {}': { anyOf: {} },
    'type []': { type: [] },
    'required [1]': { type: 'object', required: [1] },
    'values of which none fits': { type: 'integer', enum: ['a'] },
    '$ref #, which is itself': { $ref: '#' },
    '$ref #/$defs/a, which is itself': { $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, s] } }, $ref: '#/$defs/a' },
    'more than 200 levels': nested(201),
    'more than 200': { allOf: [{ $ref: '#' }] },
    'a schema of this size': doubling((name) => ({ $ref: `#/$defs/${name}`, minItems: 1 })),
    'schema of this size': doubling((name) => ({ allOf: [{ $ref: `#/$defs/${name}` }] })),
    'too many repetitions': { type: 'string', pattern: `^${'('.repeat(20)}a${'){9999}'.repeat(20)}$` },
    'found more than 100 levels': { type: 'string', pattern: `${'('.repeat(50_000)}a${')'.repeat(50_000)}` },
  })) {
    test(`refuses ${keyword}, which a grammar cannot hold`, () => {
      assert.throws(() => jsonGrammar(schema, 'tools.x'), {
        status: 400,
        message: new RegExp(
          JSON.stringify(keyword)
            .slice(1, -1)
            .replaceAll(/[$()#/[\]{}\\]/g, '\\$&'),
        ),
      })
    })
  }
})

/** A schema of 40 levels, each of which reads the next one twice. */
function doubling(read: (name: string) => object): object {
  const level = (index: number): object => ({ type: 'array', prefixItems: [read(`l${index}`), read(`l${index}`)] })
  const levels = Array.from({ length: 40 }, (_, index) => [`l${index}`, level(index + 1)])
  return { $defs: { ...Object.fromEntries(levels), l40: { type: 'array' } }, ...level(0) }
}

function nested(levels: number): object {
  return levels === 0 ? {} : { type: 'array', items: nested(levels - 1) }
}

test('jsonGrammar() holds a maximum that llama.cpp ignores, and lowers one beyond 10,000', () => {
  const lists = (minItems: number, maxItems: number): number[] =>
    lengths(jsonGrammar({ type: 'array', items: { type: 'null' }, minItems, maxItems }, 'schema'))
  const list = (length: number, comma: string): number => `[${Array(length).fill('null').join(comma)}]`.length
  assert.deepEqual(lists(0, 2500), [2, list(2500, ', ')])
  assert.deepEqual(lists(2100, 4500), [list(2100, ','), list(4500, ', ')])
  assert.deepEqual(lists(3, 1e9), [list(3, ','), list(10_000, ', ')])
})

test('jsonGrammar() grows with a schema, not with its square', () => {
  const named = (length: number): object =>
    Object.fromEntries(Array.from({ length }, (_, index) => [`name${index}`, { type: 'string' }]))
  const length = (count: number): number =>
    jsonGrammar({ type: 'object', properties: named(count), required: [] }, 'schema').length
  assert.ok(length(1000) < 12 * length(100))
  const lists = (levels: number): object =>
    levels === 0 ? { type: 'string', maxLength: 9 } : { type: 'array', maxItems: 9, items: lists(levels - 1) }
  assert.ok(jsonGrammar(lists(40), 'schema').length < 12 * jsonGrammar(lists(4), 'schema').length)
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
