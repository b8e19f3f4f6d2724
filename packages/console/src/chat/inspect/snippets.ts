import { serverUrl } from '../../api/http.ts'

/** A command that sends the request from a shell. The key is taken from the environment. */
export function curlOf(request: object): string {
  const body = JSON.stringify(request, null, 2).replaceAll("'", String.raw`'\''`)
  return [
    `curl ${serverUrl}/v1/messages \\`,
    `  -H "x-api-key: $ANTHROPIC_API_KEY" \\`,
    `  -H 'anthropic-version: ${versionOf(request)}' \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '${body}'`,
    '',
  ].join('\n')
}

/** A program that sends the request with this library. */
export function typescriptOf(request: object): string {
  const body = JSON.stringify(request, null, 2)
  return [
    `import Anthropic from 'colloquy'`,
    '',
    `const client = new Anthropic({ baseURL: '${serverUrl}' })`,
    `const message = await client.messages.create(${body})`,
    'console.log(message.content)',
    '',
  ].join('\n')
}

/** The headers of a request. The key is never in the page, so it is masked. */
export function headersOf(request: object): [string, string][] {
  return [
    ['content-type', 'application/json'],
    ['anthropic-version', versionOf(request)],
    ['x-api-key', 'sk-ant-••••••••'],
  ]
}

/** Later versions of the API refuse the fields of sampling. */
function versionOf(request: object): string {
  return ['temperature', 'top_p', 'top_k'].some((name) => name in request) ? '2023-06-01' : '2026-10-21'
}
