// The client compiles without Node's types, so that it also runs where there is no Node; this is all it asks of the runtime.

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

/** The value of an environment variable, trimmed; undefined where it is empty, unset or not to be read. */
export function environment(name: string): string | undefined {
  try {
    return (runtime.process?.env?.[name] ?? runtime.Deno?.env?.get(name))?.trim() || undefined
  } catch {
    // Deno throws where the program may not read its environment.
    return undefined
  }
}

export function isBrowser(): boolean {
  return runtime.window?.document !== undefined && runtime.navigator !== undefined
}

/** Whether this is Node itself. Bun, Deno and workerd answer to its names but are fastest, or only complete, with their own `fetch`. */
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
 * A module of Node's own, loaded when it is first asked for. Never an `import`: on Node 24 that of `node:http` reads every
 * export, which loads the whole of `fetch` too (30 ms and 14 MB).
 */
export function builtin(id: string): unknown {
  return runtime.process?.getBuiltinModule?.(id)
}
