import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import {
  parseSync,
  Visitor,
  type ExportNamedDeclaration,
  type ImportDeclaration,
  type ModuleExportName,
  type Span,
  type Statement,
  type StringLiteral,
} from 'oxc-parser'

/** A declaration, or one name of an import or export. It is kept or removed as a whole. */
interface Part extends Span {
  isKept: boolean
  /** Keeps what this part refers to. */
  follow: () => void
}

interface Module {
  file: string
  text: string
  statements: { span: Span; parts: Part[] }[]
  /** Declarations and imports by name. There may be several: an interface and a class, for example. */
  locals: Map<string, Part[]>
  exports: Map<string, Part[]>
  /** The files of `export *`. */
  stars: string[]
}

/**
 * Removes from the declarations in `dist` what no entry point leads to: files, declarations, and names of imports and
 * exports. They are an eighth of all declarations, and each program that uses the package would parse them.
 */
export function shakeDeclarations(folder: string, entries: Iterable<string>): void {
  const modules = new Modules()
  for (const entry of entries) modules.keepAll(normalize(join(folder, entry)))
  for (const file of globSync(join(folder, 'dist/**/*.d.ts'))) {
    const module = modules.reached.get(normalize(file))
    if (module === undefined) rmSync(file)
    else writeFileSync(file, textOf(module))
  }
}

/** Stands for the name of a statement that has none, as `declare module`. It is always kept. */
const unnamed = ''

class Modules {
  readonly reached = new Map<string, Module>()

  /** Keeps all exports of a file. */
  keepAll(file: string | undefined): void {
    if (file === undefined) return
    const { exports, stars } = this.#load(file)
    for (const parts of exports.values()) keep(parts)
    for (const star of stars) this.keepAll(star)
  }

  #keepExport(file: string | undefined, name: string): void {
    if (file === undefined) return
    const { exports, stars } = this.#load(file)
    const parts = exports.get(name)
    if (parts) keep(parts)
    else for (const star of stars) this.#keepExport(star, name)
  }

  #load(file: string): Module {
    const known = this.reached.get(file)
    if (known) return known
    const text = readFileSync(file, 'utf8')
    const module: Module = { file, text, statements: [], locals: new Map(), exports: new Map(), stars: [] }
    this.reached.set(file, module)
    for (const statement of parseSync(file, text).program.body as Statement[]) {
      module.statements.push({ span: statement, parts: this.#partsOf(statement, module) })
    }
    keep(module.locals.get(unnamed))
    for (const star of module.stars) this.#load(star)
    return module
  }

  /** The parts of a statement, which are added to the names of the module. */
  #partsOf(statement: Statement, module: Module): Part[] {
    if (statement.type === 'ImportDeclaration') return this.#imports(statement, module)
    if (statement.type === 'ExportNamedDeclaration' && !statement.declaration) return this.#exports(statement, module)
    if (statement.type !== 'ExportAllDeclaration') return [this.#declaration(statement, module)]
    const source = fileOf(module, statement.source)
    if (statement.exported)
      return [add(module.exports, nameOf(statement.exported), statement, () => this.keepAll(source))]
    if (source !== undefined) module.stars.push(source)
    return []
  }

  #imports({ source, specifiers }: ImportDeclaration, { file, locals }: Module): Part[] {
    const path = fileOf({ file }, source)
    return specifiers.map((specifier) =>
      add(locals, specifier.local.name, specifier, () => {
        if (specifier.type === 'ImportNamespaceSpecifier') this.keepAll(path)
        else this.#keepExport(path, 'imported' in specifier ? nameOf(specifier.imported) : 'default')
      }),
    )
  }

  #exports({ source, specifiers }: ExportNamedDeclaration, module: Module): Part[] {
    return specifiers.map((specifier) => {
      const local = nameOf(specifier.local)
      return add(module.exports, nameOf(specifier.exported), specifier, () => {
        if (source) this.#keepExport(fileOf(module, source), local)
        else keep(module.locals.get(local))
      })
    })
  }

  #declaration(statement: Statement, module: Module): Part {
    const part: Part = {
      start: statement.start,
      end: statement.end,
      isKept: false,
      follow: () => {
        const { names, files } = usesOf(statement, module)
        for (const name of names) keep(module.locals.get(name))
        for (const file of files) this.keepAll(file)
      },
    }
    const isExported = 'declaration' in statement && statement.declaration
    const names = namesOf(isExported ? (statement.declaration as Statement) : statement)
    for (const name of names) {
      append(module.locals, name, part)
      if (isExported) append(module.exports, statement.type === 'ExportDefaultDeclaration' ? 'default' : name, part)
    }
    if (names.length === 0) append(module.locals, unnamed, part)
    return part
  }
}

/** The names in a statement, those of properties included, and the files that it imports as types. */
function usesOf(statement: Statement, module: Module): { names: Set<string>; files: (string | undefined)[] } {
  const names = new Set<string>()
  const files: (string | undefined)[] = []
  new Visitor({
    Identifier: ({ name }) => void names.add(name),
    TSImportType: ({ source }) => void files.push(fileOf(module, source)),
  }).visit({ type: 'Program', body: [statement], sourceType: 'module', hashbang: null, start: 0, end: 0 })
  return { names, files }
}

function namesOf(declared: Statement): string[] {
  if (declared.type === 'VariableDeclaration') {
    return declared.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []))
  }
  return 'id' in declared && declared.id?.type === 'Identifier' ? [declared.id.name] : []
}

function add(names: Map<string, Part[]>, name: string, { start, end }: Span, follow: () => void): Part {
  return append(names, name, { start, end, isKept: false, follow })
}

function append(names: Map<string, Part[]>, name: string, part: Part): Part {
  names.set(name, [...(names.get(name) ?? []), part])
  return part
}

function nameOf(name: ModuleExportName): string {
  return name.type === 'Literal' ? name.value : name.name
}

/** The file of a relative path, or undefined for another package. */
function fileOf({ file }: Pick<Module, 'file'>, { value: path }: StringLiteral): string | undefined {
  return path.startsWith('.') ? join(dirname(file), path.replace(/\.[jt]s$/, '.d.ts')) : undefined
}

function keep(parts: readonly Part[] = []): void {
  for (const part of parts) {
    if (part.isKept) continue
    part.isKept = true
    part.follow()
  }
}

/** The text of the statements that have a kept part, each with its comment, or have no parts, as `export {}`. */
function textOf({ text, statements }: Module): string {
  let kept = ''
  let end = 0
  for (const { span, parts } of statements) {
    const left = parts.filter(({ isKept }) => isKept)
    if (left.length === parts.length) kept += text.slice(end, span.end)
    else if (left.length > 0) {
      const names = left.map((part) => text.slice(part.start, part.end)).join(', ')
      kept += text.slice(end, parts[0]!.start) + names + text.slice(parts.at(-1)!.end, span.end)
    }
    end = span.end
  }
  return `${kept.trimStart()}\n`
}
