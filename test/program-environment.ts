/** The environment of a program that a test starts: where programs and compiled modules are, and no key or setting. */
export const programEnvironment: Readonly<Record<string, string | undefined>> = {
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
}
