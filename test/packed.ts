import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Packed, packAll } from '../scripts/pack.ts'
import { builtOnce } from './built-once.ts'
import { root } from './source.ts'

/** All packages, packed as for publishing, once for all files of tests. */
export async function packedPackages(): Promise<Packed[]> {
  const folder = await builtOnce(join(root, 'node_modules/.cache/colloquy-packed'), async (begun) => {
    writeFileSync(join(begun, 'packed.json'), JSON.stringify(await packAll(begun)))
  })
  const packed = JSON.parse(readFileSync(join(folder, 'packed.json'), 'utf8')) as Packed[]
  return packed.map((each) => ({ ...each, tarball: join(folder, basename(each.tarball)) }))
}
