export { type CallOptions, type NextStep, answerCall, answerCalls, callsIn, failedCall, nextStep } from './call.ts'
export {
  type ToolRun,
  type ToolRunItem,
  type ToolRunOptions,
  type ToolRunParams,
  ToolRoundsError,
  cutCalls,
  runTools,
  unansweredIn,
} from './run.ts'
export {
  type Promisable,
  type Runnable,
  type RunnableTool,
  type RunnableToolset,
  type ToolContext,
  type ToolDefinition,
  type ToolOutput,
  type ToolRunner,
  type ToolsetRunner,
  definitionOf,
  isRunnable,
} from './runnable.ts'
export { ToolError } from './tool-error.ts'
export { type CustomTool, type ToolFields, tool } from './tool.ts'
export {
  type MemoryCommand,
  type MemoryCreateCommand,
  type MemoryDeleteCommand,
  type MemoryHandlers,
  type MemoryHandlers as MemoryToolHandlers,
  type MemoryInsertCommand,
  type MemoryRenameCommand,
  type MemoryStrReplaceCommand,
  type MemoryViewCommand,
  memoryTool,
  memoryTool as betaMemoryTool,
} from './memory/memory-tool.ts'
export {
  type MCPBlock,
  type MCPBlockFields,
  UnsupportedMCPValueError,
  mcpContent,
  mcpMessage,
  mcpMessages,
  mcpResourceToContent,
  mcpResourceToFile,
} from './mcp/mcp-content.ts'
export { type MCPToolFields, mcpTool, mcpTools } from './mcp/mcp-tool.ts'
export type * from './mcp/mcp-values.ts'
export { addUsage } from './usage.ts'
export { withTools } from './with-tools.ts'
export type { OutputFormat } from '../protocol/json/parsed-message.ts'
export { jsonSchemaOutputFormat, standardSchemaOutputFormat, transformJsonSchema } from '../protocol/json/schema.ts'
// The official client's names for the same things.
export { tool as betaStandardSchemaTool, tool as betaTool, tool as betaZodTool } from './tool.ts'
export {
  jsonSchemaOutputFormat as betaJSONSchemaOutputFormat,
  standardSchemaOutputFormat as betaStandardSchemaOutputFormat,
  standardSchemaOutputFormat as betaZodOutputFormat,
  standardSchemaOutputFormat as zodOutputFormat,
  transformJsonSchema as transformJSONSchema,
} from '../protocol/json/schema.ts'
export { sendable } from '../protocol/sendable.ts'
