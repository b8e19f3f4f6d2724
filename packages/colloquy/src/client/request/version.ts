/** This package's version, as `user-agent` says it. */
export const version = '0.1.0'

/** The API version whose rules a request follows, where it asks for no other. */
export const apiVersion = '2026-10-21'
