/** Replaces the transport over Node's sockets in bundles for browsers, which never use its 2 KB. */
export const nodeTransport = undefined
