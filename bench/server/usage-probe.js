// Loaded into each server's process before its program. Answers every message with the CPU time and memory of the process. The programs
// of the servers are JavaScript, because the compiler that strips types takes 30 MB.
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() })
})
process.once('disconnect', () => process.exit())
process.channel.unref()
