import fc from 'fast-check'

/** Options of a client, of its copy and of a request, and the environment of the client. */
export interface Given {
  environment: Record<string, string>
  client: object
  copy: object
  request: object | null | undefined
}

const headerNames = ['X-One', 'x-one', 'X-ONE', 'anthropic-beta', 'Anthropic-Beta', 'Content-Type', 'accept', 'cookie']
// A lower-case key is sent as it is, while the client's own key is in another header: row `api-key-header`.
const names = fc.constantFrom(...headerNames, 'Authorization', 'authorization', 'anthropic-version')
const values = fc.constantFrom<unknown>(
  'a',
  'b c',
  ' padded ',
  '',
  null,
  undefined,
  5,
  true,
  [],
  ['x', 'y'],
  ['p', null],
  [null, 'z'],
  [undefined],
)
const pairs = fc.array(fc.tuple(names, values), { maxLength: 4 })
const headers = fc.oneof(
  pairs.map((given) => Object.fromEntries(given)),
  pairs,
  pairs.map((given) => new Headers(given.filter((pair): pair is [string, string] => typeof pair[1] === 'string'))),
  fc.constantFrom<unknown>(undefined, null, {}, []),
)

const queryValues = fc.constantFrom<unknown>(
  'a',
  '',
  'x y',
  'ü&=+',
  5,
  0,
  true,
  null,
  undefined,
  [],
  ['a', 'b'],
  [[1], [2]],
  { a: 1, b: { c: [1, 2] } },
  {},
  new Date(0),
  [null],
)
const queryNames = fc.constantFrom('q', 'limit', 'x y', 'list[]', 'é')
const queries = fc.oneof(
  fc.dictionary(queryNames, queryValues, { maxKeys: 4 }),
  fc.constantFrom<unknown>(undefined, null, {}),
)

const addresses = fc.constantFrom(
  undefined,
  null,
  '',
  'https://h.test',
  'https://h.test/',
  'https://h.test/p',
  'https://h.test/p/',
  'https://h.test:8443/a/b',
  'https://H.test',
)
const credentials = fc.constantFrom<object>(
  {},
  { apiKey: 'sk-1' },
  { authToken: 'token' },
  { apiKey: 'sk-2', authToken: null },
  { apiKey: null, authToken: 'token' },
  { apiKey: async () => 'sk-3' },
)

const some = <Fields extends Record<string, fc.Arbitrary<unknown>>>(fields: Fields): fc.Arbitrary<object> =>
  fc.record(fields, { requiredKeys: [] })

const client = fc
  .tuple(
    credentials,
    some({
      baseURL: addresses,
      defaultHeaders: headers,
      defaultQuery: queries,
      timeout: fc.constantFrom(1, 5000),
      maxRetries: fc.constantFrom(0, 2),
      dangerouslyAllowBrowser: fc.boolean(),
    }),
  )
  .map(([key, others]) => ({ ...key, ...others }))

/** Options that are undefined would reset the official client's to their defaults; ours keeps them. */
const copy = client.map((given) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null)),
)

const request = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(undefined, null, {}) },
  {
    weight: 6,
    arbitrary: some({
      headers,
      query: queries,
      timeout: fc.constantFrom(1, 5000),
      maxRetries: fc.constantFrom(0, 1),
      signal: fc.constantFrom(undefined, null, new AbortController().signal),
      path: fc.constantFrom('/v1/else', '/v1/else?z=1'),
      idempotencyKey: fc.constant('key'),
      defaultBaseURL: fc.constantFrom('https://d.test', 'https://d.test/'),
      fetchOptions: fc.constantFrom({}, { keepalive: true }),
    }),
  },
)

const environment = some({
  ANTHROPIC_API_KEY: fc.constantFrom('sk-environment', '', ' sk-environment '),
  ANTHROPIC_AUTH_TOKEN: fc.constantFrom('token-environment', ''),
  ANTHROPIC_BASE_URL: fc.constantFrom('https://e.test', '', ' ', 'https://e.test/p/'),
  ANTHROPIC_CUSTOM_HEADERS: fc.constantFrom('X-Two: env', 'x-two: a\nX-Three: b', 'broken', 'a:'),
}) as fc.Arbitrary<Record<string, string>>

export const givens: fc.Arbitrary<Given> = fc.record({ environment, client, copy, request })
