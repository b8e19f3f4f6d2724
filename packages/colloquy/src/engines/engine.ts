export type { Engine, EngineContext } from '../protocol/types/engine.ts'
