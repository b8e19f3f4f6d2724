// Every command loads this module: it takes Node's modules only when they are needed.

const MiB = 1024 * 1024

/** The most that the young generation of V8's heap takes: two halves of 16 MB. V8 would grow it to 64 MB. */
const mostYoungBytes = 32 * MiB

/** V8's default. */
const mostOptimizedBytes = 60 * 1024

/** The calls after which a function is optimized. V8's default is 3,000, as Maglev would have compiled it before. */
const callsToOptimize = 1_000

/**
 * Turns V8's optimizing compiler off while the program starts. It would compile two functions of Node's module loader, and its code
 * and data take 6 MB that an idle server never needs. The compiler before it, Maglev, stays off: compiling functions twice
 * takes 20 MB when many become hot at the same time, and a third of the CPU time of the first 10,000 requests.
 */
export function beginLeanStart(): void {
  setFlag('--no-maglev')
  setFlag(`--invocation-count-for-turbofan=${callsToOptimize}`)
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
    // V8 shrinks it when the process is idle. It must grow again then: a small one makes a request cost half as much again.
    const isSmall = youngBytes() < mostYoungBytes
    if (isSmall !== mayGrow) setFlag(`--semi-space-growth-factor=${isSmall ? 2 : 1}`)
    mayGrow = isSmall
  })
  observer.observe({ entryTypes: ['gc'] })
  giveBackWhenIdle()
}

/**
 * Lets V8 collect the garbage of the start. It does so when a process rests, but it takes the rate at which the start allocated
 * for the rate of now until something makes it measure again, such as a new context: an idle server would keep 5 MB. The
 * collections follow within 20 seconds.
 */
function giveBackWhenIdle(): void {
  process.getBuiltinModule('node:vm').createContext()
}

function setFlag(flag: string): void {
  process.getBuiltinModule('node:v8').setFlagsFromString(flag)
}

function youngBytes(): number {
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8')
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
}
