/** A command that sends the request from a shell. The key is taken from the environment. */
export function curlOf(request: object): string {
  const body = JSON.stringify(request, null, 2).replaceAll("'", String.raw`'\''`)
  return [
    `curl ${location.origin}/v1/messages \\`,
    `  -H "x-api-key: $ANTHROPIC_API_KEY" \\`,
    `  -H 'anthropic-version: 2026-10-21' \\`,
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
    `const client = new Anthropic({ baseURL: '${location.origin}' })`,
    `const message = await client.messages.create(${body})`,
    'console.log(message.content)',
    '',
  ].join('\n')
}
