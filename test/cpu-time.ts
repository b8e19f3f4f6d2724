/**
 * Starts to measure the CPU time of this process. The function that it returns says how many milliseconds it has used since then,
 * in the kernel too: the share of the program alone is counted in whole ticks of the clock.
 */
export function startCpuTime(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}
