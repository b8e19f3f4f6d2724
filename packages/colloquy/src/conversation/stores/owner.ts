let description: string | undefined

/** The host, id and start time of this process, as written into the leases of its turns. */
export function thisProcess(): string {
  // Not when the module is loaded: workers forbid random numbers then.
  return (description ??= describeProcess())
}

/** Whether the process is known to have ended, so that its leases need not run out first. */
export function isGone(owner: string): boolean {
  const [host, pid, start] = owner.split(' ')
  const [thisHost, thisPid, thisStart] = thisProcess().split(' ')
  if (host !== thisHost) return false
  // In a container the next process often gets the id of the one that died.
  if (pid === thisPid) return Math.abs(Number(start) - Number(thisStart)) > 1000
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function describeProcess(): string {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> }
  const os = process?.getBuiltinModule?.('node:os')
  // A worker has no process that could be looked for: its leases have to run out.
  if (os === undefined) return `worker-${crypto.randomUUID()} 0 0`
  const startedAt = Math.round(Date.now() - globalThis.process.uptime() * 1000)
  return `${os.hostname()} ${globalThis.process.pid} ${startedAt}`
}
