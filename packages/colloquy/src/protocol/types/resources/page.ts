/** One page of a list. */
export interface ListPage<Item> {
  data: Item[]
  has_more: boolean
  first_id: string | null
  last_id: string | null
  /** Set by lists that are read by `page`, such as that of files. */
  next_page?: string | null
}

/** The position and length of a page of a list. */
export interface PageParams {
  /** 1 to 1000. Default 20. */
  limit?: number
  /** Get the page that ends before this item. */
  before_id?: string
  /** Get the page that begins after this item. */
  after_id?: string
}

/** The position and length of a page of a list that is read by `page`. */
export interface PageCursorParams {
  /** 1 to 1000. Default 20. */
  limit?: number
  /** The `next_page` of the page before. */
  page?: string | null
}

/** One page of a list that is read by `page`. */
export interface PageCursorResponse<Item> {
  data: Item[]
  next_page: string | null
}
