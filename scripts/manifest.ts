/** The conditions of an entry point. Those in `require` hold for CommonJS. */
export interface Conditions {
  '@colloquy/source'?: string
  types?: string
  'module-sync'?: string
  default?: string
  require?: Conditions
}

export interface Manifest {
  name: string
  version: string
  files: string[]
  exports?: Record<string, Conditions>
  browser?: Record<string, string>
  bin?: Record<string, string>
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}
