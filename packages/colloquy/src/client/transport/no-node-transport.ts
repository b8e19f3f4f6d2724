/** What a bundle for browsers has in place of the transport over Node's sockets, which weighs 2 KB and is never used there. */
export const nodeTransport = undefined
