import type { DatabaseSync } from 'node:sqlite'

/**
 * Runs work that may read thousands of pages. A system call for each page would take twice as long, so the file is mapped into
 * memory; only for this, because changes are slower then.
 */
export function mapped<T>(db: DatabaseSync, work: () => T): T {
  db.exec('PRAGMA mmap_size = 268435456')
  try {
    return work()
  } finally {
    db.exec('PRAGMA mmap_size = 0')
  }
}
