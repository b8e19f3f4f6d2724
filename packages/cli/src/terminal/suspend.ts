/** Suspends the program as Ctrl-Z does in a shell, and calls `resume` when it continues. Not available on Windows. */
export function suspend(resume: () => void): void {
  // With a closed terminal nothing else keeps the process alive until SIGCONT.
  const keepAlive = setInterval(() => {}, 1000)
  process.once('SIGCONT', () => {
    clearInterval(keepAlive)
    resume()
  })
  // Stops the whole process group, so that npm stops with its script.
  process.kill(0, 'SIGTSTP')
}
