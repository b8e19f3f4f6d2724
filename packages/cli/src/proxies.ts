import type { Environment } from './flags.ts'

/** The part of `node:http` that Node has since 24.14. */
interface GlobalProxy {
  setGlobalProxyFromEnv?: (env: Record<string, string | undefined>) => unknown
}

/**
 * Lets the global `fetch`, which downloads models and reaches model servers and MCP servers, use the proxies of the environment,
 * as the client of the API does by itself. Like the client, it reaches this machine without a proxy.
 */
export function useProxies(env: Environment): void {
  const [http, https] = [proxyIn(env, 'http_proxy'), proxyIn(env, 'https_proxy')]
  if (http === undefined && https === undefined) return
  const exempt = [env['no_proxy'] ?? env['NO_PROXY'], 'localhost', '127.0.0.1', '::1'].filter(Boolean).join(',')
  const { setGlobalProxyFromEnv } = process.getBuiltinModule('node:http') as GlobalProxy
  try {
    setGlobalProxyFromEnv?.({ http_proxy: http, https_proxy: https, no_proxy: exempt })
  } catch {
    // It is not the URL of a proxy. The client names it if a request needs it.
  }
}

/** The URL of a proxy, whose scheme may be left out. */
function proxyIn(env: Environment, lowerCase: string): string | undefined {
  const value = env[lowerCase] || env[lowerCase.toUpperCase()]
  return value && !value.includes('://') ? `http://${value}` : value || undefined
}
