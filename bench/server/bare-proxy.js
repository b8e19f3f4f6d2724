// The lower bound: passes every request on with `node:http` and reads nothing of it.
import http from 'node:http'

const [upstream, port] = process.argv.slice(2)
const { hostname, port: upstreamPort } = new URL(upstream)
const agent = new http.Agent({ keepAlive: true })

http
  .createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming
    const asked = http.request({ hostname, port: upstreamPort, method, path: url, headers, agent }, (answered) => {
      outgoing.writeHead(answered.statusCode, answered.headers)
      answered.pipe(outgoing)
    })
    asked.on('error', () => outgoing.destroy())
    outgoing.on('close', () => asked.destroy())
    incoming.pipe(asked)
  })
  .listen(Number(port), '127.0.0.1')
