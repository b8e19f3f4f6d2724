// Builds the API reference from the doc comments of every entry point, into docs/reference/dist. Fails if an exported name has
// no doc comment or a link in one has no target. With --check nothing is written; with --site the pages of docs/ are in it too,
// in docs/reference/site.
import {
  Application,
  type Comment,
  type DeclarationReflection,
  IntersectionType,
  LogLevel,
  type ProjectReflection,
  QueryType,
  ReferenceType,
  ReflectionKind,
  type SomeType,
} from 'typedoc'
import { fileURLToPath } from 'node:url'
import { entryPoints, root } from '../../test/source.ts'
import { addPages, siteOptions } from './site.ts'

const isCheck = process.argv.includes('--check')
const isSite = process.argv.includes('--site')
const app = await Application.bootstrap({
  name: 'Colloquy',
  entryPoints: [...entryPoints.values()].map((file) => `${root}${file}`),
  tsconfig: `${root}tsconfig.json`,
  // `npm run types` checks them. Here it takes three quarters of the time.
  skipErrorChecking: true,
  readme: `${root}README.md`,
  out: fileURLToPath(new URL('dist', import.meta.url)),
  excludeInternal: true,
  excludePrivate: true,
  validation: { notDocumented: true, invalidLink: true, notExported: false },
  packagesRequiringDocumentation: ['colloquy', '@colloquy/server'],
  requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable'],
  logLevel: isCheck ? LogLevel.Warn : LogLevel.Info,
  hideGenerator: true,
  ...(isSite && siteOptions),
})
if (isSite) addPages(app)

const project = await app.convert()
if (!project) process.exit(1)
nameModules(project)
describeAliases(project)
app.validate(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1
else if (!isCheck) await app.generateOutputs(project)

/** Names each module after the path that a program imports, instead of after its file. */
function nameModules(project: ProjectReflection): void {
  const names = new Map([...entryPoints].map(([name, file]) => [file, name]))
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    const file = module.sources?.[0]?.fileName ?? ''
    module.name = names.get(file) ?? module.name
  }
}

/** Gives an alias of a documented type, such as `Anthropic.Message`, the comment of that type. */
function describeAliases(project: ProjectReflection): void {
  for (const alias of project.getReflectionsByKind(ReflectionKind.TypeAlias | ReflectionKind.Variable)) {
    const comment = commentOf((alias as DeclarationReflection).type)
    if (comment) alias.comment ??= comment.clone()
  }
}

/** The comment of the type that an alias names, through other aliases and with additional fields. */
function commentOf(type: SomeType | undefined): Comment | undefined {
  if (type instanceof IntersectionType) return commentOf(type.types[0])
  if (type instanceof QueryType) return commentOf(type.queryType)
  if (!(type instanceof ReferenceType)) return undefined
  const target = type.reflection as DeclarationReflection | undefined
  return target?.comment ?? commentOf(target?.type ?? type.typeArguments?.[0])
}
