import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Makes a runtime of models that only looks installed. @param data the folder in which the program keeps its data. */
export async function pretendRuntime(data: string): Promise<void> {
  const runtime = join(data, 'runtime/node_modules/node-llama-cpp')
  await mkdir(runtime, { recursive: true })
  await writeFile(join(runtime, 'package.json'), '{"name":"node-llama-cpp","main":"index.js"}')
  await writeFile(join(runtime, 'index.js'), '')
}
