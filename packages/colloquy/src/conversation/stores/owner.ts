let description: string | undefined

/** The machine, id and start time of this process, as written into the leases of its turns. */
export function thisProcess(): string {
  // Not when the module is loaded: workers forbid random numbers then.
  return (description ??= describeProcess())
}

/** Whether the process is known to have ended, so that its leases need not run out first. */
export function isGone(owner: string): boolean {
  const [machine, pid, start] = owner.split(' ')
  const [thisMachine, thisPid, thisStart] = thisProcess().split(' ')
  if (machine !== thisMachine) return false
  // Another process gets the id of one that died sooner or later.
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
  const { machine, startedAt } = os.platform() === 'linux' ? linuxProcess() : otherProcess()
  return `${os.hostname()}/${machine} ${globalThis.process.pid} ${startedAt}`
}

interface FoundProcess {
  /** A text that tells apart machines and containers with the same host name. */
  machine: string
  /** In milliseconds since some moment of the past. */
  startedAt: number
}

/**
 * Two containers of one name may each have a process 1, and neither sees that of the other: a process can only be looked for
 * in its own namespace of process ids, since the last boot.
 */
function linuxProcess(): FoundProcess {
  // Deno would ask its user for permission to read the files.
  if ('deno' in process.versions) return unknownProcess()
  try {
    const { readFileSync, readlinkSync } = process.getBuiltinModule('node:fs')
    // The first of 32 random digits are enough beside the name, and each turn stores them.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
    const [namespace] = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))!
    // The 22nd field, after a name in parentheses that may contain any character; in hundredths of a second since the boot.
    const [, fields = ''] = /.*\) (.*)/s.exec(readFileSync('/proc/self/stat', 'latin1')) ?? []
    return { machine: `${boot}/${namespace}`, startedAt: Number(fields.split(' ')[19]) * 10 }
  } catch {
    return unknownProcess()
  }
}

/** A process that no other can look for. */
function unknownProcess(): FoundProcess {
  return { machine: crypto.randomUUID(), startedAt: 0 }
}

function otherProcess(): FoundProcess {
  return { machine: '', startedAt: Math.round(Date.now() - process.uptime() * 1000) }
}
