// Every command loads this module: it takes Node's modules only when they are needed.

const MiB = 1024 * 1024

/** The most that the young generation of V8's heap takes: two halves of 16 MB. V8 would grow it to 64 MB. */
const mostYoungBytes = 32 * MiB

/** The most that it takes while many sockets are open, whose objects make it grow and stay: a request costs 8 % more then. */
const fewerYoungBytes = 16 * MiB
/** 128 streams, with a socket to the client and one to the upstream each. */
const manySockets = 256

/** V8's default. */
const mostOptimizedBytes = 60 * 1024

/**
 * Turns V8's optimizing compiler off while the program starts. It would compile two functions of Node's module loader, and its code
 * and data take 6 MB that an idle server never needs.
 */
export function beginLeanStart(): void {
  setFlag('--max-optimized-bytecode-size=0')
}

/**
 * Turns the optimizing compiler on, and limits the growth of the young generation: V8 doubles it each time that many objects have
 * survived, such as those of 1,000 open streams, and gives it back only when a process is idle.
 */
export function endLeanStart(): void {
  setFlag(`--max-optimized-bytecode-size=${mostOptimizedBytes}`)
  let mayGrow = true
  const observer = new PerformanceObserver(() => {
    const bytes = youngBytes()
    const isLarge = bytes >= mostYoungBytes
    const isEnough = isLarge || (bytes >= fewerYoungBytes && openSockets() > manySockets)
    if (isEnough === mayGrow) setFlag(`--semi-space-growth-factor=${isEnough ? 1 : 2}`)
    mayGrow = !isEnough
    if (isLarge) observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}

function setFlag(flag: string): void {
  process.getBuiltinModule('node:v8').setFlagsFromString(flag)
}

function youngBytes(): number {
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8')
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}
