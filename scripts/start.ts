/** Runs `npm start`: the program, which may fetch a first model also if its output is not a terminal. */
process.env['COLLOQUY_FETCH'] ??= '1'
await import('../packages/cli/src/main.ts')
