import type { ListPage } from '../../protocol/types/resources/page.ts'
import { APIPromise } from '../request/api-promise.ts'

/**
 * One page of a list. A loop over it continues with the items of the following pages.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const ids: string[] = []
 * for await (const { id } of new Anthropic().models.list({ limit: 2 })) ids.push(id) // reads all pages
 * console.log(ids.length > 2) // true
 * ```
 */
export class Page<Item> implements ListPage<Item>, AsyncIterable<Item> {
  declare readonly data: Item[]
  declare readonly has_more: boolean
  declare readonly first_id: string | null
  declare readonly last_id: string | null
  /** The cursor of the next page, in lists that are read by `page`. */
  declare readonly next_page: string | null
  readonly #requestPage: RequestPage<Item>
  readonly #backwards: boolean

  constructor(page: Partial<ListPage<Item>> | null | undefined, requestPage: RequestPage<Item>, backwards: boolean) {
    this.data = page?.data ?? []
    this.has_more = page?.has_more ?? false
    this.first_id = page?.first_id ?? null
    this.last_id = page?.last_id ?? null
    this.next_page = page?.next_page ?? null
    this.#requestPage = requestPage
    this.#backwards = backwards
  }

  /** Whether there is another page. */
  hasNextPage(): boolean {
    return this.#next() !== undefined
  }

  /** The following page: the one before, if the list is read with `before_id`. */
  async getNextPage(): Promise<Page<Item>> {
    const next = this.#next()
    if (!next) throw new RangeError('Cannot get a page after the last')
    return this.#requestPage(next)
  }

  /** The items of this page. */
  getPaginatedItems(): Item[] {
    return this.data
  }

  /** Yields this page and all following ones. */
  async *iterPages(): AsyncGenerator<Page<Item>> {
    // Not one generator inside the other: each page would pass through those of all pages before it.
    // oxlint-disable-next-line typescript/no-this-alias
    let page: Page<Item> = this
    yield page
    while (page.hasNextPage()) yield (page = await page.getNextPage())
  }

  /** Yields the items of this page and of all following ones. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for await (const page of this.iterPages()) yield* page.data
  }

  #next(): PageCursor | undefined {
    if (this.next_page) return { page: this.next_page }
    if (!this.has_more || this.data.length === 0) return undefined
    if (this.#backwards) return this.first_id === null ? undefined : { before_id: this.first_id }
    return this.last_id === null ? undefined : { after_id: this.last_id }
  }
}

/** The place where the next page begins or ends. */
export interface PageCursor {
  page?: string
  before_id?: string
  after_id?: string
}

/** Requests the page at a cursor. */
export type RequestPage<Item> = (cursor: PageCursor) => PagePromise<Item>

/** The promise of a page. A loop over it reads the items of the page and of all that follow. */
export class PagePromise<Item> extends APIPromise<Page<Item>> implements AsyncIterable<Item> {
  /** Yields the items of all pages. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    yield* await this
  }
}
