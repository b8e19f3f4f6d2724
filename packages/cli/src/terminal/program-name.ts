/** How the user calls this program: `colloquy`, or in a checkout, where it is not installed, `npm start --`. */
export const programName: string = nameOf(process.env)

export function nameOf(env: Readonly<Record<string, string | undefined>>): string {
  const isCheckout = env['npm_lifecycle_event'] === 'start' && env['npm_package_name'] === 'colloquy-workspace'
  return isCheckout ? 'npm start --' : 'colloquy'
}
