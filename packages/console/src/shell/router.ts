import { type ReadonlySignal, type Signal, computed, signal } from '@preact/signals'

/** The path of the console on its host, with a slash at its end. */
const base = new URL(document.baseURI).pathname

/** The address of the page. */
const address: Signal<URL> = signal(new URL(location.href))

export type Route =
  | { name: 'chat'; id: string | undefined; message: string | undefined }
  | { name: 'usage' }
  | { name: 'requests'; id: string | undefined }
  | { name: 'settings' }
  | { name: 'missing' }

/** The view that the address names. */
export const route: ReadonlySignal<Route> = computed(() => routeOf(address.value))

/** The id of the chat that the address names. */
export const chatId: ReadonlySignal<string | undefined> = computed(() =>
  route.value.name === 'chat' ? route.value.id : undefined,
)

/** The filters of a view, which are kept in the address. */
export const filters: ReadonlySignal<URLSearchParams> = computed(() => address.value.searchParams)

function routeOf({ pathname, searchParams }: URL): Route {
  const [first = '', second] = pathname.slice(base.length).split('/')
  const id = second ? decoded(second) : undefined
  if (['', 'index.html', 'c'].includes(first)) return { name: 'chat', id, message: searchParams.get('m') ?? undefined }
  if (first === 'usage' || first === 'settings') return { name: first }
  if (first === 'requests') return { name: 'requests', id }
  return { name: 'missing' }
}

/** A part of a path. One that is not encoded as it should be stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** @param path without a slash at its beginning: `usage`, and `./` for a new chat. */
export function navigate(path: string, { replace = false }: { replace?: boolean } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](undefined, '', path)
  address.value = new URL(location.href)
}

/** Changes filters of the view. An empty value removes one. */
export function setFilters(changes: Readonly<Record<string, string | undefined>>): void {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value)
    else url.searchParams.delete(name)
  }
  navigate(url.pathname + url.search, { replace: true })
}

/** Follows links to the page itself without loading it again. */
export function followLinks(): void {
  addEventListener('popstate', () => (address.value = new URL(location.href)))
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a')
    if (!link?.href.startsWith(document.baseURI) || link.target || link.hasAttribute('download')) return
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    // A part of this page. The browser would look for it at the address in `<base>`.
    if (link.hash) return document.querySelector<HTMLElement>(link.hash)?.focus()
    navigate(link.pathname + link.search)
  })
}
