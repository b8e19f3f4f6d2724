/** Two iterators over the items of one. Items that only one of them has read are buffered for the other. */
export function tee<Item>(iterator: AsyncIterator<Item>): [AsyncIterator<Item>, AsyncIterator<Item>] {
  const waiting: [Promise<IteratorResult<Item>>[], Promise<IteratorResult<Item>>[]] = [[], []]
  const open = new Set<0 | 1>([0, 1])
  const branch = (mine: 0 | 1): AsyncIterator<Item> => ({
    next() {
      const queue = waiting[mine]
      if (queue.length === 0) {
        const result = iterator.next()
        for (const each of open) waiting[each].push(result)
      }
      return queue.shift() ?? Promise.resolve({ done: true, value: undefined })
    },
    async return() {
      open.delete(mine)
      waiting[mine] = []
      // The connection stays open until both branches are left.
      if (open.size === 0) await iterator.return?.()
      return { done: true, value: undefined }
    },
  })
  return [branch(0), branch(1)]
}
