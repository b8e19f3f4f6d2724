import { fork } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { selfSigned } from './certificate.ts'

/** The address of the server. */
export interface Address {
  http: string
  https: string
  /** The path of a PEM file with the certificate to trust, for `NODE_EXTRA_CA_CERTS`. */
  certificateFile: string
}

let started: Promise<Address> | undefined

/** Starts the server once, in a process of its own, which ends with this one. */
export function address(): Promise<Address> {
  return (started ??= start())
}

async function start(): Promise<Address> {
  const certificate = selfSigned()
  const certificateFile = join(tmpdir(), `colloquy-bench-${process.pid}.pem`)
  writeFileSync(certificateFile, certificate.cert)
  const server = fork(new URL('server.ts', import.meta.url), {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  server.unref()
  process.once('exit', () => {
    server.kill()
    rmSync(certificateFile, { force: true })
  })
  server.send(certificate)
  return new Promise((resolve, reject) => {
    server.once('message', (origins: { http: string; https: string }) => {
      server.channel!.unref()
      resolve({ ...origins, certificateFile })
    })
    server.once('exit', (code) => reject(new Error(`The server of the benchmark ended with ${code}`)))
  })
}
