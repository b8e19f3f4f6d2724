import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { root } from '../source.ts'
import type { Question } from './ask.ts'
import { failure, json, message } from './fixtures.ts'
import { recordingServer, type Reply } from './recording-server.ts'
import { programEnvironment } from '../program-environment.ts'

interface Case {
  name: string
  /** Files below the configuration folder: objects as JSON. `$url` stands for the address of the server. */
  files?: Record<string, unknown>
  /** Files that other users may read. */
  open?: string[]
  env?: Record<string, string>
  options?: Record<string, unknown>
  replies: readonly Reply[]
  /** Requests for a message. Default 1. */
  count?: number
  /** The file that is compared afterwards. */
  written?: string
}

const server = await recordingServer()
after(() => server.close())

type ClientName = 'colloquy' | '@anthropic-ai/sdk'

/** A process for each client, which its cases share, and the end of its last question. */
const clients = Object.fromEntries(
  (['colloquy', '@anthropic-ai/sdk'] as const).map((name) => {
    const execArgv = ['--conditions=@colloquy/source']
    const asked = fork(join(root, 'test/compat/ask.ts'), [name], { execArgv, env: { ...programEnvironment } })
    return [name, { process: asked, turn: Promise.resolve('') }]
  }),
) as Record<ClientName, { process: ChildProcess; turn: Promise<string> }>
after(() => Object.values(clients).forEach(({ process: asked }) => asked.disconnect()))

const good = json(message())
const far = Math.floor(Date.now() / 1000) + 3600
const past = Math.floor(Date.now() / 1000) - 10
const token = (name: string, fields: object = {}): Reply =>
  json({ access_token: name, token_type: 'Bearer', expires_in: 3600, ...fields })
const user = { authentication: { type: 'user_oauth', client_id: 'client_1' }, base_url: '$url' }
const federation = {
  authentication: { type: 'oidc_federation', federation_rule_id: 'fdrl_1' },
  organization_id: 'org_1',
  base_url: '$url',
}
const stored = (fields: object = {}): object => ({
  version: '1.0',
  type: 'oauth_token',
  access_token: 'kept',
  expires_at: far,
  refresh_token: 'refresh_1',
  ...fields,
})
const environment = {
  ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_env',
  ANTHROPIC_ORGANIZATION_ID: 'org_env',
  ANTHROPIC_BASE_URL: '$url',
}
const refused = failure(401, 'authentication_error', 'invalid bearer token')

const cases: Case[] = [
  {
    name: 'the default profile of a user',
    files: { 'configs/default.json': user, 'credentials/default.json': stored() },
    replies: [good],
  },
  {
    name: 'the active profile, with a workspace',
    files: {
      active_config: 'work\n',
      'configs/work.json': { ...user, workspace_id: 'ws_1' },
      'credentials/work.json': stored(),
    },
    replies: [good, good],
    count: 2,
  },
  {
    name: 'ANTHROPIC_PROFILE before the active profile',
    files: {
      active_config: 'other',
      'configs/work.json': user,
      'credentials/work.json': stored({ access_token: 'w' }),
    },
    env: { ANTHROPIC_PROFILE: 'work' },
    replies: [good],
  },
  { name: 'ANTHROPIC_PROFILE that does not exist', env: { ANTHROPIC_PROFILE: 'none' }, replies: [good] },
  { name: 'ANTHROPIC_PROFILE that leads elsewhere', env: { ANTHROPIC_PROFILE: '../x' }, replies: [good] },
  {
    name: 'the option profile',
    files: { 'configs/a.json': user, 'credentials/a.json': stored() },
    options: { profile: 'a' },
    replies: [good],
  },
  { name: 'the option profile that does not exist', options: { profile: 'none' }, replies: [good] },
  { name: 'no profile at all', replies: [good] },
  {
    name: 'a key in the environment before a profile',
    files: { 'configs/default.json': user, 'credentials/default.json': stored() },
    env: { ANTHROPIC_API_KEY: 'sk-ant-env', ANTHROPIC_BASE_URL: '$url' },
    replies: [good],
  },
  {
    name: 'an expired token is refreshed and stored',
    files: {
      'configs/default.json': user,
      'credentials/default.json': stored({ expires_at: past, account_email: 'a@b' }),
    },
    replies: [token('fresh', { refresh_token: 'refresh_2' }), good, good],
    count: 2,
    written: 'credentials/default.json',
  },
  {
    name: 'a refresh without another refresh token',
    files: { 'configs/default.json': user, 'credentials/default.json': stored({ expires_at: past }) },
    replies: [token('fresh'), good],
    written: 'credentials/default.json',
  },
  {
    name: 'an expired token without a refresh token',
    files: {
      'configs/default.json': user,
      'credentials/default.json': stored({ expires_at: past, refresh_token: '' }),
    },
    replies: [good],
  },
  {
    name: 'a refused refresh',
    files: { 'configs/default.json': user, 'credentials/default.json': stored({ expires_at: past }) },
    replies: [json({ error: 'invalid_grant', error_description: 'gone' }, { status: 400 })],
  },
  {
    name: 'a token without an end',
    files: { 'configs/default.json': user, 'credentials/default.json': { access_token: 'forever' } },
    replies: [good],
  },
  { name: 'a profile without its credentials', files: { 'configs/default.json': user }, replies: [good] },
  {
    name: 'credentials that others may read',
    files: { 'configs/default.json': user, 'credentials/default.json': stored() },
    open: ['credentials/default.json'],
    replies: [good],
  },
  { name: 'a profile that is not JSON', files: { 'configs/default.json': 'x' }, replies: [good] },
  {
    name: 'a profile of an unknown type',
    files: { 'configs/default.json': { authentication: { type: 'magic' } } },
    replies: [good],
  },
  {
    name: 'a 401 gets another token once',
    files: { 'configs/default.json': user, 'credentials/default.json': stored() },
    replies: [refused, token('fresh'), good],
  },
  {
    name: 'two 401s are an error',
    files: { 'configs/default.json': user, 'credentials/default.json': stored() },
    replies: [refused, token('fresh'), refused, good],
  },
  {
    name: 'workload identity of a profile, kept in a file',
    files: {
      'configs/default.json': {
        ...federation,
        authentication: {
          ...federation.authentication,
          service_account_id: 'svac_1',
          identity_token: { source: 'file', path: '$folder/identity' },
        },
        workspace_id: 'ws_1',
      },
      identity: 'jwt-1\n',
    },
    replies: [token('exchanged'), good, good],
    count: 2,
    written: 'credentials/default.json',
  },
  {
    name: 'workload identity of a profile with a token that is kept',
    files: { 'configs/default.json': federation, 'credentials/default.json': stored(), identity: 'jwt' },
    env: { ANTHROPIC_IDENTITY_TOKEN_FILE: '$folder/identity' },
    replies: [good],
  },
  {
    name: 'workload identity of the environment, from a file',
    files: { identity: 'jwt-2' },
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN_FILE: '$folder/identity', ANTHROPIC_SERVICE_ACCOUNT_ID: 'svac_2' },
    replies: [token('a'), good],
  },
  {
    name: 'workload identity of the environment, from a value, with a workspace',
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN: 'jwt-3', ANTHROPIC_WORKSPACE_ID: 'ws_env' },
    replies: [token('b'), good],
  },
  {
    name: 'the environment before the active profile',
    files: { 'configs/default.json': user, 'credentials/default.json': stored() },
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN: 'jwt-4' },
    replies: [token('c'), good],
  },
  {
    name: 'the environment without an identity token, after the active profile',
    files: { 'configs/default.json': user, 'credentials/default.json': stored() },
    env: environment,
    replies: [good],
  },
  { name: 'workload identity without an identity token', env: environment, replies: [good] },
  {
    name: 'an identity token that is too long',
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN: 'x'.repeat(17_000) },
    replies: [good],
  },
  {
    name: 'an exchange that is refused',
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN: 'jwt' },
    replies: [json({ error: 'invalid_grant' }, { status: 401 })],
  },
  {
    name: 'an exchange without a token',
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN: 'jwt' },
    replies: [json({ expires_in: 5 })],
  },
  {
    name: 'an exchange without an end',
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN: 'jwt' },
    replies: [token('x', { expires_in: undefined })],
  },
  {
    name: 'an exchange for another type of token',
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN: 'jwt' },
    replies: [token('x', { token_type: 'mac' })],
  },
  {
    name: 'an exchange that is not JSON',
    env: { ...environment, ANTHROPIC_IDENTITY_TOKEN: 'jwt' },
    replies: [{ body: ['<html>'] }],
  },
  {
    name: 'a token endpoint without encryption',
    files: { 'configs/default.json': { ...federation, base_url: 'http://example.test' } },
    env: { ANTHROPIC_IDENTITY_TOKEN: 'jwt' },
    replies: [],
  },
  {
    name: 'the option config',
    env: { ANTHROPIC_IDENTITY_TOKEN: 'jwt-5' },
    options: { config: federation },
    replies: [token('d'), good],
  },
]

for (const each of cases) {
  test(`credentials: ${each.name}`, async () => {
    const [official, ours] = await Promise.all([play(each, '@anthropic-ai/sdk'), play(each, 'colloquy')])
    assert.deepEqual(ours, official)
  })
}

describe('credentials', () => {
  test('the cases reach the API with a token', async () => {
    const { requests } = await play(cases[0]!, 'colloquy')
    assert.equal(requests[0]!.headers['authorization'], 'Bearer kept')
  })
})

async function play(
  each: Case,
  name: ClientName,
): Promise<{ requests: ReturnType<typeof shown>[]; printed: string; written: unknown }> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-credentials-'))
  const stage = server.stage(each.replies)
  const located = (value: unknown): string =>
    (typeof value === 'string' ? value : JSON.stringify(value))
      .replaceAll('$url', stage.url)
      .replaceAll('$folder', folder)
  try {
    for (const [path, content] of Object.entries(each.files ?? {})) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, located(content))
      chmodSync(file, each.open?.includes(path) ? 0o644 : 0o600)
    }
    const env = Object.fromEntries(Object.entries(each.env ?? {}).map(([key, value]) => [key, located(value)]))
    const printed = await ask(name, {
      environment: { ...programEnvironment, HOME: folder, ANTHROPIC_CONFIG_DIR: folder, ...env },
      options: located(each.options ?? {}),
      count: each.count ?? 1,
    })
    const file = each.written && join(folder, each.written)
    const written = file && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : undefined
    const end = written as { expires_at?: number } | undefined
    // Both ask within a few seconds of each other.
    if (end?.expires_at) end.expires_at = Math.round(end.expires_at / 100)
    return { requests: stage.requests.map(shown), printed, written }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Asks a client in its process, one question after the other. Returns what the client printed. */
async function ask(name: ClientName, question: Question): Promise<string> {
  const { process: asked, turn } = clients[name]
  const answer = turn.then(async () => {
    asked.send(question)
    const ended = once(asked, 'exit').then(([code]) => assert.fail(`${name} ended with ${code}`))
    const [printed] = (await Promise.race([once(asked, 'message'), ended])) as [string]
    return printed
  })
  clients[name].turn = answer
  return answer
}

/** The parts of a request that credentials decide. */
function shown({
  method,
  path,
  headers,
  body,
}: {
  method: string
  path: string
  headers: Record<string, string>
  body: string
}) {
  const names = [
    'authorization',
    'x-api-key',
    'anthropic-beta',
    'anthropic-workspace-id',
    'content-type',
    'x-stainless-retry-count',
  ]
  const { authorization, ...others } = Object.fromEntries(names.map((name) => [name, headers[name]]))
  // A key of an account goes as `x-api-key` here: see api-key-header.
  const key = /^Bearer (sk-ant-.*)/.exec(authorization ?? '')?.[1]
  const own = { ...others, authorization: key ? undefined : authorization, ...(key && { 'x-api-key': key }) }
  return { method, path, headers: own as Record<string, string | undefined>, body: JSON.parse(body) as unknown }
}
