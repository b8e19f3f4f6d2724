// Installs the packed packages with each package manager into fresh projects, outside the repository. Managers that the
// repository does not have are skipped with a message; `npm run runtimes` fetches them.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type Packed, npm } from '../../scripts/pack.ts'
import { packedPackages } from '../packed.ts'
import { type Found, type RuntimeName, find } from '../runtimes/downloads.ts'
import { root } from '../source.ts'
import { programs, run, write } from './workspace.ts'

const scratch = mkdtempSync(join(tmpdir(), 'colloquy-installs-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const long = process.env['COLLOQUY_RUNTIMES'] === 'fetch'
const skip = long ? false : 'NOT TESTED: package managers; npm run runtimes has them'
const packed: Packed[] = long ? await packedPackages() : []
/** The archives of the client, the server and the program. A model in the process is wanted by few. */
const tarballs = packed.filter(({ name }) => name !== '@colloquy/llama').map(({ tarball }) => tarball)

const project = newProject('npm')
if (long) npm(project, 'install', ...tarballs)

describe('the packed packages', () => {
  test('install with npm', { skip }, () => works(project))

  const managers: [RuntimeName, string[]][] = [
    ['pnpm 12.21.0', ['add']],
    ['Yarn 1.22.22', ['add', '--silent', '--no-progress']],
    ['Yarn 4.18.1', ['add']],
    ['Bun 1.4.5', ['add', '--silent']],
  ]
  for (const [name, words] of managers) {
    const found: Found = find(name)
    test(`install with ${name}`, { skip: skip || found.skip }, () => {
      const fresh = newProject(name.replaceAll(' ', '-'))
      // Yarn 4 has another layout by default, in which Node finds packages only by a hook.
      write(fresh, { 'yarn.lock': '', '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\n' })
      const files = packed
        .filter(({ tarball }) => tarballs.includes(tarball))
        .map((each) => (name === 'Yarn 4.18.1' ? `${each.name}@file:${each.tarball}` : each.tarball))
      const [program, ...rest] = found.program!.endsWith('bun')
        ? [found.program!, ...words]
        : [process.execPath, found.program!, ...words]
      execFileSync(program, [...rest, ...files], { cwd: fresh, stdio: 'pipe' })
      works(fresh)
    })
  }

  test('run after node_modules was copied, as by COPY of a Dockerfile', { skip }, () => {
    const copy = join(scratch, 'image')
    cpSync(project, copy, { recursive: true })
    works(copy)
  })

  test('compile with moduleResolution node16, nodenext and bundler', { skip }, () => {
    for (const resolution of ['node16', 'nodenext', 'bundler']) {
      const isBundler = resolution === 'bundler'
      const [file, kind] = isBundler ? ['whole.ts', 'esnext'] : ['whole.mts', resolution]
      copyFileSync(join(programs, 'whole.ts'), join(project, file))
      const common = { noEmit: true, strict: true, types: ['node'], target: 'es2022' }
      const typeRoots = [join(root, 'node_modules/@types')]
      const compilerOptions = { ...common, typeRoots, module: kind, moduleResolution: resolution }
      write(project, { 'tsconfig.json': JSON.stringify({ compilerOptions, files: [file] }) })
      run(project, join(root, 'node_modules/typescript/bin/tsc'))
    }
  })

  test('are bundled by Vite for a page', { skip }, () => {
    write(project, {
      'index.html': '<script type="module" src="/page.js"></script>',
      'page.js': `import Anthropic from 'colloquy'
        import { readTurn } from 'colloquy/conversation/reader'
        document.title = [Anthropic.DEFAULT_TIMEOUT, typeof readTurn].join()`,
    })
    run(project, join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error')
    assert.equal(readdirSync(join(project, 'dist')).includes('index.html'), true)
    assert.ok(globSync('dist/assets/*.js', { cwd: project }).length >= 1)
  })
})

describe('the packed program', () => {
  const cli = packed.find(({ name }) => name === '@colloquy/cli')?.tarball

  test('runs by npx in an empty folder, which stays empty', { skip }, () => {
    const folder = join(scratch, 'empty')
    mkdirSync(folder)
    const home = join(scratch, 'home')
    const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
    // Only npm's cache of downloads is shared with this machine.
    const cache = npm(folder, 'config', 'get', 'cache').trim()
    const env = {
      PATH: path,
      HOME: home,
      USERPROFILE: home,
      npm_config_cache: cache,
      npm_config_prefer_offline: 'true',
    }
    const words = ['--yes', '--package', cli!, 'colloquy', 'ask', '--engine', 'offline', '"What is 6 * 7?"']
    const output = execFileSync('npx', words, { cwd: folder, encoding: 'utf8', shell: true, env, stdio: 'pipe' })
    assert.equal(output, '6 * 7 = 42\n')
    assert.deepEqual(readdirSync(folder), [])
  })

  test('names the Node that it needs in an older one', { skip: skip || find('Node 20.20.2').skip }, () => {
    const main = join(project, 'node_modules/@colloquy/cli/dist/main.js')
    try {
      execFileSync(find('Node 20.20.2').program!, [main, 'chat'], { encoding: 'utf8', stdio: 'pipe' })
      assert.fail('an older Node ran the program')
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string }
      assert.equal(status, 1)
      assert.equal(stderr, 'colloquy needs Node 22.13 or newer: found 20.20.2\n')
    }
  })
})

function newProject(name: string): string {
  const project = join(scratch, name)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  return project
}

/** Uses every installed package: from ES modules, from CommonJS, and the program. */
function works(project: string): void {
  for (const file of ['whole.mjs', 'whole.cjs']) copyFileSync(join(programs, file), join(project, file))
  assert.deepEqual(JSON.parse(run(project, 'whole.mjs')), ['6 * 7 = 42', 'Hello.'])
  assert.equal(run(project, 'whole.cjs'), 'Hello.\n')
  const main = join(project, 'node_modules/@colloquy/cli/dist/main.js')
  assert.match(run(project, main, '--version'), /^colloquy \d+\.\d+\.\d+\n$/)
  assert.equal(run(project, main, 'ask', '--engine', 'offline', '--no-save', '6 * 7?'), '6 * 7 = 42\n')
}
