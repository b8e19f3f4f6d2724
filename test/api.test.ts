import { test, snapshot } from 'node:test'
import { entryPoints, importsOf, read } from './source.ts'

// After an intended change: `npm run api`. The path is also right when another file imports this one, as scripts/group-tests.ts does.
snapshot.setResolveSnapshotPath(() => `${import.meta.filename}.snapshot`)
snapshot.setDefaultSnapshotSerializers([(names: string[]) => names.join('\n')])

for (const [name, file] of entryPoints) {
  test(`${name} exports the same names as before`, async (t) => {
    const values = Object.keys((await import(name)) as object)
    const types = [...typesOf(file)].filter((name) => !values.includes(name)).map((name) => `type ${name}`)
    t.assert.snapshot([...values.toSorted(), ...types.toSorted()])
  })
}

/** The names of the types that a file exports or re-exports. */
function typesOf(file: string): Set<string> {
  const text = read(file)
  const declared = [...text.matchAll(/^export (?:declare )?(?:interface|type) (\w+)/gm)].map(([, name]) => name!)
  const listed = [...text.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, type, names]) =>
    listedTypes(names!, type !== undefined),
  )
  const starred = [...text.matchAll(/^export (?:type )?\* from '([^']+)'/gm)].map(([, name]) => name)
  const targets = importsOf(file).filter(({ name }) => starred.includes(name))
  return new Set([...declared, ...listed, ...targets.flatMap(({ target }) => (target ? [...typesOf(target)] : []))])
}

function listedTypes(names: string, isTypeList: boolean): string[] {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && (isTypeList || name.startsWith('type ')))
    .map((name) => name.replace(/^type /, '').replace(/^.* as /, ''))
}
