import fc from 'fast-check'

/** A response, and whether a client should retry it. */
export interface GeneratedResponse {
  response: () => Response
  isPassing: boolean
}

const types = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'application/problem+json',
  'application/vnd.api+json',
  'text/plain',
  'text/html; charset=utf-8',
  undefined,
)
const bodies = fc.constantFrom(
  '{}',
  '[]',
  '[{"a":1}]',
  'null',
  'true',
  '12',
  '"text"',
  '{"id":"a","type":"message","content":[]}',
  '{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}',
  '{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}',
  '{"a":"é 漢字 😀"}\n',
)
const texts = fc.constantFrom('', 'up', '<html>Bad gateway</html>', '{"a":')
const statuses = fc.constantFrom(
  200,
  201,
  202,
  204,
  206,
  299,
  400,
  401,
  403,
  404,
  408,
  409,
  413,
  422,
  429,
  500,
  502,
  529,
)
const headers = fc.record(
  {
    'request-id': fc.constant('req_1'),
    'anthropic-workspace-id': fc.constant('wrkspc_1'),
    'x-should-retry': fc.constantFrom('false', 'FALSE', ''),
    'retry-after-ms': fc.constantFrom('1', '1.5', '1 ms'),
  },
  { requiredKeys: ['retry-after-ms'] },
)

export const responses: fc.Arbitrary<GeneratedResponse> = fc
  .tuple(statuses, types, fc.oneof(bodies, texts), headers)
  // JSON that cannot be read is the row `unreadable-replies` of docs/compatibility.md.
  .filter(([status, type, body]) => status >= 300 || !/json/.test(type ?? '') || isJson(body))
  .map(([status, type, body, given]) => {
    const init = { status, headers: { ...given, ...(type && { 'content-type': type }) } }
    // Not a string, as the type of a text would be set.
    const bytes = (): Uint8Array<ArrayBuffer> | null => (status === 204 ? null : new TextEncoder().encode(body))
    return { response: () => new Response(bytes(), init), isPassing: status >= 500 || status === 429 }
  })

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
