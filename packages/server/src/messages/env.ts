import type { Caller } from '../access/access.ts'
import type { Context } from 'hono'
import type { RequestLog } from '../operate/request-log.ts'

/** The environment of the routes: what is known of a request before its route is found. */
export interface Env {
  Bindings: {
    log: RequestLog
    /** The sender, in the routes below `/v1`. Undefined if the server has no `access`. */
    caller?: Caller
  }
}

/** The workspace of the sender of a request. */
export function workspaceOf({ env: { caller } }: Pick<Context<Env>, 'env'>): string {
  return caller?.workspace ?? 'default'
}
