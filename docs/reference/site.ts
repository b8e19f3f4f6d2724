// The pages of docs/ as a part of the site: their names, groups and order, and a list of them for readers without JavaScript.
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Application, Converter, type DocumentReflection, JSX, type TypeDocOptions } from 'typedoc'
import { entryPoints, root } from '../../test/source.ts'

/** The pages by their group, in the order in which the site lists them. */
const groups: Readonly<Record<string, readonly string[]>> = {
  Begin: [
    'docs/README',
    'docs/quick-starts',
    'docs/packages',
    'docs/runtimes',
    'docs/platforms',
    'docs/troubleshooting',
  ],
  'Call Claude': ['docs/client', 'docs/helpers', 'docs/errors', 'docs/compatibility', 'docs/moving'],
  'Keep conversations': [
    'docs/conversation',
    'docs/many-users',
    'docs/budget',
    'docs/window',
    'docs/money',
    'docs/page-of-your-own',
    'docs/conversations-api',
  ],
  'Test or serve': [
    'docs/testing',
    'docs/engines',
    'docs/server',
    'docs/keys',
    'docs/usage',
    'docs/hosting',
    'docs/production',
    'docs/capacity',
  ],
  Chat: ['docs/chat', 'docs/console'],
  'Look up': ['docs/commands', 'docs/configuration', 'docs/endpoints'],
  'The project': [
    'ARCHITECTURE',
    'CONTRIBUTING',
    'CHANGELOG',
    'docs/measurements',
    'examples/README',
    'docs/decisions',
  ],
}

const order = Object.values(groups).flat()

/** The files of the places that are folders, with their index first. */
const folders: Readonly<Record<string, readonly string[]>> = {
  'docs/quick-starts': ['docs/quick-starts.md', 'docs/quick-starts/*.md'],
  'docs/decisions': ['docs/decisions/README.md', 'docs/decisions/*.md'],
}

/** Pages in no group: an error of `groupOf()`. */
const unlisted = globSync('docs/*.md', { cwd: root }).filter((file) => !order.includes(placeOf(file)))

export const siteOptions: Partial<TypeDocOptions> = {
  out: fileURLToPath(new URL('site', import.meta.url)),
  projectDocuments: [...order.flatMap((place) => folders[place] ?? `${place}.md`), ...unlisted].map(
    (path) => root + path,
  ),
  favicon: `${root}packages/console/public/icon.svg`,
  searchInDocuments: true,
  groupOrder: [...Object.keys(groups), 'Modules', '*'],
  sort: ['documents-first', 'source-order'],
  sortEntryPoints: false,
  navigation: { includeGroups: true },
  // A link and a switch in one line confuse a screen reader, so a module lists its names on its page only.
  navigationLeaves: [...entryPoints.keys()],
  highlightLanguages: [
    'bash',
    'css',
    'html',
    'javascript',
    'json',
    'jsx',
    'python',
    'sql',
    'text',
    'tsx',
    'typescript',
    'yaml',
  ],
  customCss: fileURLToPath(new URL('site.css', import.meta.url)),
  includeHierarchySummary: false,
  // The program of a heading such as `script([…])` is a part of its anchor.
  markdownItLoader: (parser: Parser) => parser.core.ruler.push('code in headings', plainHeadings),
}

interface Token {
  type: string
  children: Token[] | null
}

interface Parser {
  core: { ruler: { push(name: string, rule: (state: { tokens: Token[] }) => void): void } }
}

function plainHeadings({ tokens }: { tokens: Token[] }): void {
  for (const [i, { type }] of tokens.entries()) {
    if (type !== 'heading_open') continue
    for (const child of tokens[i + 1]?.children ?? []) if (child.type === 'code_inline') child.type = 'text'
  }
}

/** Gives each page its heading as a name, and its group; and lists the pages where there is no JavaScript. */
export function addPages(app: Application): void {
  const pages = new Map<DocumentReflection, number>()
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page: DocumentReflection) => {
    const file = `${page.name}.md`
    const text = readFileSync(root + file, 'utf8')
    page.name = file === 'docs/README.md' ? 'All pages' : (/^# (.+)$/m.exec(text)?.[1] ?? page.name)
    page.frontmatter['group'] = groupOf(file)
    pages.set(page, order.indexOf(placeOf(file)))
  })
  app.renderer.hooks.on('sidebar.end', (context) => {
    const sorted = [...pages].toSorted(([, a], [, b]) => a - b)
    const links = sorted.map(([page]) =>
      JSX.createElement('li', null, JSX.createElement('a', { href: context.urlTo(page) }, page.name)),
    )
    return JSX.createElement(
      'noscript',
      null,
      JSX.createElement('nav', { 'aria-label': 'Pages' }, JSX.createElement('ul', null, ...links)),
    )
  })
}

/** The name of a page in the groups. Decisions share one, and quick starts. */
function placeOf(file: string): string {
  return file.replace(/^(docs\/(?:decisions|quick-starts))\/.*$/, '$1').replace(/\.md$/, '')
}

/** The group of a page. Throws if a page is in none, as a reader would not find it. */
function groupOf(file: string): string {
  const found = Object.entries(groups).find(([, pages]) => pages.includes(placeOf(file)))
  if (!found) throw new Error(`Cannot build the site: no group of docs/reference/site.ts has ${file}`)
  return found[0]
}
