import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { checkJson } from 'colloquy/protocol'
import { ConfigError } from './config-error.ts'
import { configSchema } from './config.ts'
import { readConfig } from './read-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-config-'))
after(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'colloquy.json')

function read(config: unknown, env: Record<string, string> = {}): ReturnType<typeof readConfig> {
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config, null, 2))
  return readConfig(path, env)
}

/** The lines of the error, without the path of the file. */
function mistakes(config: unknown, env?: Record<string, string>): string[] {
  try {
    read(config, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.lines.slice(1).map((line) => line.trim().replaceAll(`${path}:`, ''))
  }
  throw new assert.AssertionError({ message: 'The configuration was accepted.' })
}

test('the published schema is the one that checks', () => {
  const file = join(import.meta.dirname, '../../../../colloquy.schema.json')
  const published: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const message = 'node packages/cli/src/main.ts serve --schema >packages/cli/colloquy.schema.json, then npm run format'
  assert.deepEqual(published, configSchema, message)
})

test('readConfig() reads comments, trailing commas and variables of the environment', () => {
  const { config, secrets } = read(
    `{
      // the engines
      "port": "\${PORT}",
      "engines": {
        "claude": { "type": "api", "apiKey": ["\${ONE}", { "env": "TWO" }], "headers": { "x-team": "a-$\${ONE}" } },
      },
      /* everything */ "routes": { "*": "claude" },
    }`,
    { ONE: 'sk-one', TWO: 'sk-two', PORT: '8080' },
  )
  assert.deepEqual(config, {
    port: 8080,
    engines: { claude: { type: 'api', apiKey: ['sk-one', 'sk-two'], headers: { 'x-team': 'a-${ONE}' } } },
    routes: { '*': 'claude' },
  })
  assert.deepEqual(secrets, ['8080', 'sk-one', 'sk-two'])
})

test('readConfig() refuses values that would have no effect, with their place', () => {
  const engines = { a: { type: 'offline' } }
  for (const [fields, message] of [
    [{ port: 'abc' }, '2:3: port must be a whole number from 0 to 65535'],
    [{ port: 70_000 }, '2:3: port must be a whole number from 0 to 65535'],
    [
      { origins: ['https://a.example', 'b.example'] },
      '4:5: origins.1 must be the origin of a page, such as https://app.example',
    ],
    [{ origins: ['https://a.example/'] }, '3:5: origins.0 must be the origin of a page, such as https://app.example'],
    [
      { hosts: ['https://a.example'] },
      '3:5: hosts.0 must be a host name without a scheme and a port, such as app.example',
    ],
    [{ hosts: ['a.example:80'] }, '3:5: hosts.0 must be a host name without a scheme and a port, such as app.example'],
    [{ database: 'mysql://u:secret@x' }, '2:3: database must be the path of a file, or begin with postgres://'],
    [{ redis: 'http://x' }, '2:3: redis must begin with redis:// or rediss://'],
    [{ keys: [] }, '2:3: keys must have at least 1 item'],
  ] as const)
    assert.deepEqual(mistakes({ ...fields, engines }), [message])
})

test('readConfig() reads a file that begins with a byte order mark', () => {
  assert.deepEqual(read('\uFEFF{"engines":{"a":{"type":"offline"}}}').config.engines, { a: { type: 'offline' } })
})

test('readConfig() names the line and the nearest key of every mistake', () => {
  const found = mistakes(`{
  "prot": 1,
  "engines": {
    "a": { "type": "api", "apikey": "x" },
    "b": { "type": "chat", "baseURL": "ftp://x" },
    "c": { "type": "offline", "wordsPerSecond": "fast" },
    "d": { "type": "offline", "wordsPerSecond": 0 }
  },
  "routes": { "*": { "too": "a" }, "x": 5 },
  "log": "jsonn"
}`)
  assert.deepEqual(found, [
    '2:3: prot is not known: did you mean port?',
    '4:27: engines.a.apikey is not known: did you mean apiKey?',
    '5:28: engines.b.baseURL must be an address that begins with http:// or https://',
    '6:31: engines.c.wordsPerSecond must be a number',
    '7:31: engines.d.wordsPerSecond must be more than 0: found 0',
    '9:15: routes.*.to is required and missing',
    '9:22: routes.*.too is not known: did you mean to?',
    '9:36: routes.x must be a string: found 5',
    '10:3: log must be one of "text", "json", "off"',
  ])
})

test('readConfig() says which type, engine or variable is missing', () => {
  const engines = { claude: { type: 'api' }, test: { type: 'offline' } }
  for (const [config, mistake] of [
    [{ engines: { a: { type: 'ofline' } } }, /engines\.a\.type is not known: did you mean offline\?/],
    [{ engines: { a: {} } }, /engines\.a\.type is missing: it must be api, chat, local, offline, script/],
    [{ engines }, /routes is missing: it says which engine answers for which model/],
    [{ engines, routes: { '*': 'cluade' } }, /routes\.\* names an engine that does not exist: did you mean claude\?/],
    [
      { engines, routes: { '*': { to: ['test', { engine: 'tset' }] } } },
      /routes\.\*\.to\.1 names an engine that does not exist: did you mean test\?/,
    ],
    [
      { engines: { a: { type: 'api', apiKey: '${KEY}' } } },
      /engines\.a\.apiKey needs the variable KEY of the environment/,
    ],
    [{ engines, port: 70_000, routes: { '*': 'test' } }, /port /],
    [{ engines, passOn: 'test', routes: { '*': 'test' } }, /passOn is not an engine of type api: it must be claude/],
    ['{ "engines": { "a": {}, "a": {} } }', /1:25: engines\.a is written twice/],
    [{}, /engines is required and missing/],
    ['[]', /must be an object/],
    ['{ "engines": {', /1:15: is not JSON: /],
    ['', /1:1: is not JSON: /],
  ] as const) {
    const found = mistakes(config)
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0]!, mistake)
  }
  const port = { engines: { a: { type: 'offline' } }, port: '${PORT}' }
  assert.deepEqual(
    mistakes(port, { PORT: 'secret' }).map((line) => line.replace(/^\S+ /, '')),
    ['port must be a whole number from 0 to 65535'],
  )
})

test('readConfig() accepts what the schema accepts, and shows no secret in its errors', () => {
  const secret = 'sk-ant-very-secret'
  const value = fc.oneof(
    fc.constantFrom<unknown>(secret, { env: secret }, { key: secret }, [secret], [[secret]], 5, null, true, {}),
    fc.constantFrom<unknown>({ type: 'api', apiKey: secret }, { type: 'offline' }, { type: secret }, 'a', '*'),
  )
  const keys = fc.constantFrom(
    'engines',
    'keys',
    'apiKey',
    'apikey',
    'headers',
    'routes',
    'a',
    'type',
    'authToken',
    'log',
  )
  const nested = fc.dictionary(keys, fc.oneof(value, fc.dictionary(keys, fc.oneof(value, fc.dictionary(keys, value)))))
  fc.assert(
    fc.property(nested, (config) => {
      try {
        read(config)
      } catch (error) {
        assert.ok(error instanceof ConfigError)
        // The name of a variable is not a secret.
        const text = [error.message, ...error.lines].join('\n').replaceAll(`variable ${secret} of`, '')
        assert.ok(!text.includes(secret), text)
        return
      }
      assert.deepEqual(checkJson(configSchema, config), [])
    }),
    { numRuns: 200 },
  )
})
