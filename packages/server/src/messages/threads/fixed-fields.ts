/** The parameters that change what a thread's history means to the model: all requests of a thread have the same. */
const names = [
  'model',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'cache_control',
  'speed',
  'inference_geo',
  'mcp_servers',
] as const

/** The fields of the first request, which the thread keeps. */
const inherited = ['system', 'tools'] as const

/** The fixed parameters of a request, by name. */
export type FixedFields = Record<string, unknown>

/** The fixed parameters of a request, with its betas and the version of the API. */
export function fixedFields(
  body: FixedFields,
  { version, betas }: { version: string; betas: readonly string[] },
): FixedFields {
  const fixed: FixedFields = { 'anthropic-version': version, 'anthropic-beta': [...new Set(betas)].toSorted() }
  for (const name of names) if (body[name] != null) fixed[name] = body[name]
  return fixed
}

/** The names of the parameters in which a request differs from its thread. It may leave out those that the thread keeps. */
export function differingFields(fixed: FixedFields, sent: FixedFields): string[] {
  return ['anthropic-version', 'anthropic-beta', ...names].filter((name) => {
    const isLeftOut = sent[name] === undefined && (inherited as readonly string[]).includes(name)
    return !isLeftOut && encoded(fixed[name]) !== encoded(sent[name])
  })
}

/** The parameters that the thread adds to a request. */
export function inheritedFields(fixed: FixedFields): FixedFields {
  return Object.fromEntries(inherited.filter((name) => name in fixed).map((name) => [name, fixed[name]]))
}

/** The value as JSON, with the keys of its objects in order: their order means nothing. */
function encoded(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
