// The files for hosting, as far as they can be checked without Docker.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parse } from 'yaml'
import { read, root } from './source.ts'

interface Service {
  image?: string
  build?: { context: string; dockerfile: string }
  environment?: Record<string, string>
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: object
  stop_grace_period?: string
  deploy?: { replicas: number }
}

const compose = parse(read('deploy/compose.yaml')) as { services: Record<string, Service>; volumes: object }
const configText = read('deploy/colloquy.json')
const folder = mkdtempSync(join(tmpdir(), 'colloquy-deploy-'))
after(() => rmSync(folder, { recursive: true }))

test('compose.yaml names services, files and variables that exist', () => {
  const { services, volumes } = compose
  assert.equal(services['server']!.deploy!.replicas, 3)
  for (const [name, { depends_on: needed = {}, volumes: mounts = [], build }] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(needed)) {
      const hasCheck = services[other]!.healthcheck !== undefined || other === 'server'
      assert.ok(condition !== 'service_healthy' || hasCheck, `${name} waits for ${other}, which has no health check`)
    }
    for (const mount of mounts) {
      const [source = ''] = mount.split(':')
      const exists = source.startsWith('./') ? existsSync(join(root, 'deploy', source)) : Object.hasOwn(volumes, source)
      assert.ok(exists, mount)
    }
    if (build) assert.ok(existsSync(join(root, 'deploy', build.context, build.dockerfile)))
  }
  const example = read('deploy/.env.example')
  for (const [, name] of read('deploy/compose.yaml').matchAll(/\$\{(\w+)/g))
    assert.match(example, new RegExp(`^${name}=`, 'm'))
})

test('the configuration of compose.yaml is right, and has the time that it needs to stop', () => {
  const { environment = {}, stop_grace_period: grace = '' } = compose.services['server']!
  const path = join(folder, 'colloquy.json')
  writeFileSync(path, configText)
  const env = {
    PATH: process.env['PATH'],
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    HOME: folder,
    ...environment,
    ANTHROPIC_API_KEY: 'any',
  }
  const main = join(root, 'packages/cli/src/main.ts')
  const words = ['--conditions=@colloquy/source', main, 'serve', '--config', path, '--check']
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /is right: 1 engine \(claude\), routes for \*/)
  const [drainMs, graceMs] = ['drainMs', 'graceMs'].map((name) =>
    Number(new RegExp(`"${name}": (\\d+)`).exec(configText)![1]),
  )
  assert.ok(Number.parseInt(grace) * 1000 > drainMs! + graceMs!)
})

test('the Dockerfile installs the packed program, on the supported Node', () => {
  const text = read('deploy/Dockerfile')
  assert.match(text, /cd packages\/cli && npm pack .*--pack-destination \/packed/)
  assert.match(text, /npm install .* \/packed\/\*\.tgz/)
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } }
  for (const [, version] of text.matchAll(/^FROM node:(\d+)/gm))
    assert.equal(version, devDependencies.node.split('.')[0])
  assert.match(text, /scripts\/setup\.js/)
})

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
test('systemd accepts the unit', { skip: !hasSystemd && 'NOT TESTED: systemd-analyze is not here' }, () => {
  const path = join(folder, 'colloquy.service')
  // The check wants the program to exist.
  writeFileSync(path, read('deploy/colloquy.service').replaceAll('/usr/bin/colloquy', process.execPath))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.doesNotMatch(stderr, /colloquy\.service:/)
})
