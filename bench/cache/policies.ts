import {
  type PauseCounts,
  PauseExperience,
  chooseTtl,
  countPause,
  learnedPauses,
} from '../../packages/colloquy/src/conversation/cache/cache-policy.ts'
import { planKeepAlive } from '../../packages/colloquy/src/conversation/cache/keep-alive.ts'
import type { Marks, Policy } from './simulator.ts'

/** The fixed policies that a program can choose by hand, and ours. */
export const policies: Record<string, Policy> = {
  'no caching': fixed({ shared: 'none', tail: 'none' }),
  'automatic, 5 minutes': fixed({ shared: 'none', tail: '5m' }),
  'automatic, 1 hour': fixed({ shared: 'none', tail: '1h' }),
  'system 1 hour, tail 5 minutes': fixed({ shared: '1h', tail: '5m' }),
  'system 1 hour, tail 1 hour': fixed({ shared: '1h', tail: '1h' }),
  colloquy: adaptive(false),
  'colloquy, keep-alive': adaptive(true),
}

function fixed(marks: Marks): Policy {
  return () => () => () => marks
}

function adaptive(keepsAlive: boolean): Policy {
  return (readFactor, kind) => {
    const experience = new PauseExperience()
    return () => {
      let pauses: PauseCounts | undefined
      let count = 0
      return ({ gapMs, warm, isStep, tailShare }) => {
        const prior = experience.prior(kind)
        if (pauses === undefined) pauses = { short: 0, medium: 0, long: 0 }
        else if (!isStep) {
          pauses = countPause(pauses, gapMs)
          if (++count <= learnedPauses) experience.add(kind, gapMs)
        }
        const plan = keepsAlive ? planKeepAlive({ pauses, prior, readFactor, tailShare }) : undefined
        const tail = chooseTtl({ pauses, prior, warm, readFactor, pauseCost: plan?.pauseCost })
        const isFor5m = chooseTtl({ pauses, prior, warm: 'nothing', readFactor, pauseCost: plan?.pauseCost }) === '5m'
        return { shared: '1h', tail, pings: tail === '5m' && isFor5m ? plan?.pings : undefined }
      }
    }
  }
}
