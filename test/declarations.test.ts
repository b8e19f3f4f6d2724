import assert from 'node:assert/strict'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { shakeDeclarations } from '../scripts/shake-declarations.ts'

/** Returns the files that are left. */
function shake(files: Record<string, string>, entries: string[]): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-declarations-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'dist', name)), { recursive: true })
      writeFileSync(join(folder, 'dist', name), text)
    }
    shakeDeclarations(
      folder,
      entries.map((entry) => `dist/${entry}`),
    )
    const left = globSync('**/*.d.ts', { cwd: join(folder, 'dist') }).toSorted()
    return Object.fromEntries(left.map((name) => [name, readFileSync(join(folder, 'dist', name), 'utf8')]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('shakeDeclarations() removes what no entry point leads to', () => {
  const left = shake(
    {
      'index.d.ts': "export { A, type Renamed as B } from './a.ts';\nexport * from './star.ts';\n",
      'a.d.ts': `import type { Used, Unused } from './used.ts';
import type * as all from './all.ts';
/** Stays. */
export interface A {
    used: Used;
}
/** Goes. */
export interface Gone extends Unused {
}
export interface A {
    merged: typeof constant;
}
declare const constant: all.X;
export type { Y as Renamed, Z } from './used.ts';
`,
      'used.d.ts':
        'export type Used = 1;\nexport type Unused = 2;\nexport type Y = import("./imported.ts").I;\nexport type Z = 3;\nexport {};\n',
      'imported.d.ts': 'export type I = 1;\n',
      'all.d.ts': 'export type X = 1;\nexport declare function whole(): void;\n',
      'star.d.ts': "import type { L } from './later.ts';\nexport type * from './names.ts';\nexport default L;\n",
      'later.d.ts': 'export type L = 1;\n',
      'names.d.ts': "declare module './a.ts' {\n    interface A {\n        later: Later;\n    }\n}\ntype Later = 1;\n",
      'nobody.d.ts': 'export type Nobody = 1;\n',
    },
    ['index.d.ts'],
  )
  assert.deepEqual(left, {
    'index.d.ts': "export { A, type Renamed as B } from './a.ts';\nexport * from './star.ts';\n",
    'a.d.ts': `import type { Used } from './used.ts';
import type * as all from './all.ts';
/** Stays. */
export interface A {
    used: Used;
}
export interface A {
    merged: typeof constant;
}
declare const constant: all.X;
export type { Y as Renamed } from './used.ts';
`,
    'used.d.ts': 'export type Used = 1;\nexport type Y = import("./imported.ts").I;\nexport {};\n',
    'imported.d.ts': 'export type I = 1;\n',
    'all.d.ts': 'export type X = 1;\nexport declare function whole(): void;\n',
    'star.d.ts': "import type { L } from './later.ts';\nexport type * from './names.ts';\nexport default L;\n",
    'later.d.ts': 'export type L = 1;\n',
    'names.d.ts': "declare module './a.ts' {\n    interface A {\n        later: Later;\n    }\n}\ntype Later = 1;\n",
  })
})
