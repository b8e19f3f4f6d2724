export {
  MemoryFolder,
  MemoryFolder as BetaLocalFilesystemMemoryTool,
  type MemoryFolderOptions,
} from './memory-folder.ts'
export {
  type MemoryCommand,
  type MemoryHandlers,
  type MemoryHandlers as MemoryToolHandlers,
  memoryTool,
  memoryTool as betaMemoryTool,
} from './memory-tool.ts'
