/**
 * Keeps compiled modules in node_modules, also for the processes that this one starts. Types are stripped and modules compiled
 * once instead of in each process: a start of the program takes a third of the processor time.
 *
 * WebAssembly is compiled quickly rather than well: PGlite, which stands for PostgreSQL in some tests and programs, starts in half
 * the time.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

setFlagsFromString('--liftoff-only')

process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/compiled')
enableCompileCache(process.env.NODE_COMPILE_CACHE)
