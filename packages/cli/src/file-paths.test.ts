import assert from 'node:assert/strict'
import fs, { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import os, { tmpdir } from 'node:os'
import { dirname, isAbsolute, join, posix } from 'node:path'
import test, { after } from 'node:test'
import { filePaths, homeFolder, makeFolder, replaceFile } from './file-paths.ts'

test('filePaths() uses AppData on Windows', () => {
  const local = 'C:\\Ada\\AppData\\Local'
  const paths = filePaths({ LOCALAPPDATA: local, HOME: 'C:\\Ada' }, 'win32')
  assert.equal(paths.chats, `${local}\\colloquy\\chats.db`)
  assert.equal(paths.config, `${local}\\colloquy\\config.json`)
  assert.ok(Object.values(paths).every((path) => !path.includes('/')))
})

test('filePaths() takes an absolute XDG folder on Windows, and no relative one', () => {
  const env = { LOCALAPPDATA: 'C:\\Local', HOME: 'C:\\Ada' }
  assert.equal(filePaths({ ...env, XDG_DATA_HOME: 'D:\\data' }, 'win32').chats, 'D:\\data\\colloquy\\chats.db')
  assert.equal(filePaths({ ...env, XDG_DATA_HOME: 'data' }, 'win32').chats, 'C:\\Local\\colloquy\\chats.db')
})

test('filePaths() uses the XDG folders elsewhere', () => {
  const env = { HOME: '/srv/ada', XDG_CONFIG_HOME: '/etc/ada', LOCALAPPDATA: 'C:\\Local' }
  assert.equal(filePaths(env, 'linux').chats, posix.join('/srv/ada', '.local/share/colloquy/chats.db'))
  assert.equal(filePaths(env, 'darwin').config, '/etc/ada/colloquy/config.json')
})

test('homeFolder() is never empty or relative', () => {
  assert.equal(homeFolder({ HOME: '/srv/ada' }, 'linux'), '/srv/ada')
  for (const HOME of ['', 'srv', undefined]) {
    const home = homeFolder({ HOME })
    assert.ok(isAbsolute(home), home)
  }
})

test('homeFolder() is the root folder for a user without an account', (t) => {
  const none = t.mock.method(os, 'userInfo', () => {
    throw new Error('uv_os_get_passwd returned ENOENT')
  })
  syncBuiltinESMExports()
  try {
    assert.equal(homeFolder({}, 'linux'), '/')
  } finally {
    none.mock.restore()
    syncBuiltinESMExports()
  }
})

const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
after(() => rmSync(folder, { recursive: true }))

test('makeFolder() creates all missing folders with the mode', () => {
  const path = join(folder, 'a', 'b', 'c')
  makeFolder(path, { mode: 0o700 })
  makeFolder(path, { mode: 0o700 })
  if (process.platform !== 'win32') assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o700)
  assert.ok(statSync(path).isDirectory())
  makeFolder(join(folder, 'plain'))
})

test('makeFolder() throws the error of the system, also for a folder in /proc', () => {
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => makeFolder(join(folder, 'file', 'below')), { code: 'ENOTDIR' })
  if (process.platform === 'linux') assert.throws(() => makeFolder('/proc/nope/below'), { code: 'ENOENT' })
})

test('makeFolder() accepts a folder that another process creates meanwhile', (t) => {
  const path = join(folder, 'shared', 'below')
  const { mkdirSync } = fs
  const made = t.mock.method(fs, 'mkdirSync', (given: string) => {
    mkdirSync(given)
    if (given === dirname(path)) mkdirSync(path)
  })
  syncBuiltinESMExports()
  try {
    makeFolder(path)
  } finally {
    made.mock.restore()
    syncBuiltinESMExports()
  }
  assert.ok(statSync(path).isDirectory())
})

test('replaceFile() keeps a symbolic link and the mode, leaves nothing beside it, and says why it cannot write', () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-replace-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const [target, link] = [join(folder, 'target.json'), join(folder, 'link.json')]
  writeFileSync(target, 'old')
  fs.chmodSync(target, 0o666)
  fs.symlinkSync(target, link)
  replaceFile(link, 'new')
  assert.deepEqual([fs.readFileSync(target, 'utf8'), fs.readlinkSync(link)], ['new', target])
  if (process.platform !== 'win32') assert.equal(statSync(target).mode & 0o777, 0o666)
  replaceFile(join(folder, 'own', 'secret.json'), 'secret', 0o600)
  assert.deepEqual(fs.readdirSync(folder).toSorted(), ['link.json', 'own', 'target.json'])
  assert.deepEqual(fs.readdirSync(join(folder, 'own')), ['secret.json'])
  const message = `Cannot write ${folder}: it is a folder`
  assert.throws(() => replaceFile(folder, 'x'), { name: 'ExitError', message })
  assert.throws(() => replaceFile(join(target, 'x'), 'x'), { message: /a part of the path is not a folder$/ })
})
