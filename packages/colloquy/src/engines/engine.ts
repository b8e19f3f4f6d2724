export type { Engine, EngineContext } from '../protocol/engine.ts'
