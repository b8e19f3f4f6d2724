import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { builtProgram } from '../../../test/built-program.ts'
import { programEnvironment } from '../../../test/program-environment.ts'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isTooOld = major < 24 || (major === 24 && minor < 14)

test('a model server is reached through the proxy of the environment', { skip: isTooOld }, async () => {
  const choices = [{ message: { role: 'assistant', content: 'Through the proxy.' }, finish_reason: 'stop' }]
  const server = createServer((_, response) => response.end(JSON.stringify({ choices }))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = new Set<string>()
  const proxy = createServer().listen(0, '127.0.0.1')
  proxy.on('connect', ({ url, headers }, socket) => {
    asked.add(`${url} ${headers['proxy-authorization']}`)
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    socket.pipe(connect((server.address() as AddressInfo).port, '127.0.0.1')).pipe(socket)
    socket.on('error', () => {})
  })
  await once(proxy, 'listening')
  const words = ['ask', '--engine', 'chat:http://model.test/v1', '-m', 'any', '--no-save', 'Hello']
  const env = { ...programEnvironment, HTTP_PROXY: `ada:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}` }
  try {
    const running = promisify(execFile)(process.execPath, [builtProgram, ...words], { env })
    running.child.stdin!.end()
    assert.deepEqual(await running, { stdout: 'Through the proxy.\n', stderr: '' })
    assert.deepEqual([...asked], [`model.test:80 Basic ${btoa('ada:secret')}`])
  } finally {
    for (const each of [server, proxy]) each.close()
  }
})
