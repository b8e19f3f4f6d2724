import { hostname } from 'node:os'

const startedAt = Math.round(Date.now() - process.uptime() * 1000)

/** This process, as it is written into the leases of the turns that it runs. */
export const thisProcess: string = `${hostname()} ${process.pid} ${startedAt}`

/** Who receives a reply, and until when it counts as under way though nothing is heard of it. */
export interface Lease {
  owner: string
  /** Milliseconds since 1970. */
  until: number
}

/** Whether nobody receives the reply any more, as far as can be known. */
export function isAbandoned({ owner, until }: Lease, now: number): boolean {
  return until < now || isGone(owner)
}

/** Whether the process is known to be gone, so that nobody needs to wait for its lease to run out. */
export function isGone(owner: string): boolean {
  const [host, pid, start] = owner.split(' ')
  if (host !== hostname()) return false
  // In a container the next process often has the number of the one that died.
  if (Number(pid) === process.pid) return Math.abs(Number(start) - startedAt) > 1000
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
