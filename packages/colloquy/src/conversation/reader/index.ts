export type {
  MessageJson,
  StepEndEvent,
  StepStartEvent,
  TurnEndEvent,
  TurnEvent,
  TurnFailure,
} from '../turn/stream/turn-event.ts'
export { type ReadTurnOptions, type Reconnect, readTurn, TurnReader, TurnResponseError } from './read-turn.ts'
