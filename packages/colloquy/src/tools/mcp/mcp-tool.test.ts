import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ToolError,
  UnsupportedMCPValueError,
  mcpContent,
  mcpResourceToContent,
  mcpResourceToFile,
  mcpTool,
  mcpTools,
} from '../index.ts'
import type { MCPCallToolResultLike } from './mcp-values.ts'

const weather = { name: 'weather', inputSchema: { type: 'object' } } as const
const answering = (result: MCPCallToolResultLike) => ({ callTool: async () => result })
const context = {} as never

test('mcpTool() sends the input to the server and returns its content as blocks', async () => {
  const seen: unknown[] = []
  const callTool = async (call: unknown): Promise<MCPCallToolResultLike> => {
    seen.push(call)
    return { content: [{ type: 'text', text: '18 °C' }] }
  }
  const tool = mcpTool({ ...weather, description: 'The weather.' }, { callTool }, { strict: true })
  assert.deepEqual(await tool.run({ city: 'Rome' }, context), [{ type: 'text', text: '18 °C' }])
  assert.deepEqual(seen, [{ name: 'weather', arguments: { city: 'Rome' } }])
  assert.deepEqual([tool.description, tool.strict, tool.input_schema], ['The weather.', true, { type: 'object' }])
})

test('mcpTool() passes the signal to either of the official clients', async () => {
  const { signal } = new AbortController()
  const seen: unknown[] = []
  const newer = { callTool: async (_: unknown, options?: unknown) => (seen.push(options), {}) }
  const older = {
    callTool: async (_: unknown, schema: unknown = 'default', options?: unknown) => (seen.push([schema, options]), {}),
  }
  for (const client of [newer, older]) await mcpTool(weather, client).run({}, { signal } as never)
  assert.deepEqual(seen, [{ signal }, ['default', { signal }]])
})

test('mcpTool() leaves out a null of the schema and keeps its other keywords', () => {
  const inputSchema = { type: 'object', properties: null, required: null, additionalProperties: false } as const
  const [tool] = mcpTools([{ name: 'now', inputSchema }], answering({ content: [] }))
  assert.deepEqual(tool!.input_schema, { type: 'object', additionalProperties: false })
})

test('mcpTool() throws a ToolError with content when the server says that the tool failed', async () => {
  const fails = async (result: MCPCallToolResultLike, content: unknown): Promise<void> => {
    const run = mcpTool(weather, answering({ ...result, isError: true })).run({}, context)
    await assert.rejects(Promise.resolve(run), (error: unknown) => {
      assert.ok(error instanceof ToolError)
      assert.deepEqual(error.content, content)
      return true
    })
  }
  await fails({ content: [{ type: 'text', text: 'No' }] }, [{ type: 'text', text: 'No' }])
  await fails({ content: [], structuredContent: { code: 7 } }, '{"code":7}')
  await fails({ content: [] }, 'The tool failed and did not say why')
  await fails({}, 'The tool failed and did not say why')
})

test('mcpContent() and mcpResourceToContent() decode text that a server sent as base64', () => {
  const resource = { uri: 'file:///a', mimeType: 'text/plain', blob: 'aMOpbGxv' }
  const source = { type: 'text', media_type: 'text/plain', data: 'héllo' }
  assert.deepEqual(mcpContent({ type: 'resource', resource }), { type: 'document', source })
  assert.deepEqual(mcpResourceToContent({ contents: [resource] }), { type: 'document', source })
})

test('mcpResourceToFile() keeps bytes, name and media type', async () => {
  for (const blob of ['AP+A', 'AP-A']) {
    const file = mcpResourceToFile({ contents: [{ uri: 'file:///x/a%20b.bin', mimeType: 'image/png', blob }] })
    assert.deepEqual([file.name, file.type, [...(await file.bytes())]], ['a%20b.bin', 'image/png', [0, 255, 128]])
  }
})

test('a resource without text and bytes, or with bytes that are not base64, is an UnsupportedMCPValueError', () => {
  for (const resource of [{ uri: 'file:///a' }, { uri: 'file:///a', blob: 'not base64!' }] as never[]) {
    for (const convert of [
      () => mcpContent({ type: 'resource', resource }),
      () => mcpResourceToContent({ contents: [resource] }),
      () => mcpResourceToFile({ contents: [resource] }),
    ]) {
      assert.throws(convert, (error: unknown) => {
        assert.ok(error instanceof UnsupportedMCPValueError)
        assert.equal(error.message, 'Resource has neither text nor base64 data. URI: file:///a')
        return true
      })
    }
  }
})
