import type { Tool } from '@modelcontextprotocol/client'

/** The keywords that the API refuses at the top of a tool's schema. */
const refused = ['oneOf', 'anyOf', 'allOf']

/** The names of parameters that the API takes. */
const takenName = /^[a-zA-Z0-9_.-]{1,64}$/

/** The parameter because of which the API would refuse every request with the tool. Undefined for a tool that it takes. */
export function refusedParameter({ inputSchema }: Tool): string | undefined {
  return Object.keys(inputSchema.properties ?? {}).find((name) => !takenName.test(name))
}

/**
 * The tool with a schema that the API takes. A keyword that it refuses moves into the description, where the model reads it; the
 * server checks the input by it.
 */
export function withTakenSchema(tool: Tool): Tool {
  const isRefused = ([keyword]: [string, unknown]): boolean => refused.includes(keyword)
  const parts = Object.entries(tool.inputSchema)
  const rules = parts.filter(isRefused)
  if (rules.length === 0) return tool
  const rule = `The input must also satisfy this JSON Schema: ${JSON.stringify(Object.fromEntries(rules))}`
  return {
    ...tool,
    description: tool.description ? `${tool.description}\n\n${rule}` : rule,
    inputSchema: { ...Object.fromEntries(parts.filter((part) => !isRefused(part))), type: 'object' },
  }
}
