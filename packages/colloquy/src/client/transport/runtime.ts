// All that the client needs of its runtime, declared here because it compiles without Node's types and runs without Node.

interface NodeProcess {
  env?: Record<string, string | undefined>
  versions?: Record<string, string | undefined>
  getBuiltinModule?: (id: string) => unknown
}

interface Runtime {
  process?: NodeProcess
  Deno?: { env?: { get(name: string): string | undefined } }
  window?: { document?: unknown }
  navigator?: { userAgent?: string }
}

const runtime = globalThis as Runtime

/** The value of an environment variable, trimmed; undefined if it is empty, unset or not readable. */
export function environment(name: string): string | undefined {
  try {
    return (runtime.process?.env?.[name] ?? runtime.Deno?.env?.get(name))?.trim() || undefined
  } catch {
    // Deno throws if the program may not read its environment.
    return undefined
  }
}

export function isBrowser(): boolean {
  return runtime.window?.document !== undefined && runtime.navigator !== undefined
}

/** Whether this is Node itself. Bun, Deno and workerd have its globals too, but their own `fetch` is faster or more complete. */
export function isNode(): boolean {
  const { process, Deno, navigator } = runtime
  return (
    process?.versions?.['node'] !== undefined &&
    process.versions['bun'] === undefined &&
    typeof process.getBuiltinModule === 'function' &&
    Deno === undefined &&
    navigator?.userAgent !== 'Cloudflare-Workers'
  )
}

/**
 * Loads a built-in module of Node. Not an `import`, because importing `node:http` reads its every export, which on Node 24 loads
 * all of `fetch` too (30 ms and 14 MB).
 */
export function builtin(id: string): unknown {
  return runtime.process?.getBuiltinModule?.(id)
}
