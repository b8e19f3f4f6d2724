import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayLabel, dayOf, daysOf, periodOf, startOf } from './periods.ts'

test('a period of seven days ends with the day of the time zone', () => {
  const now = new Date('2026-11-26T23:30:00Z')
  assert.deepEqual(periodOf('7d', now, 'UTC'), { since: '2026-11-20', until: '2026-11-27' })
  assert.deepEqual(periodOf('7d', now, 'Asia/Tokyo'), { since: '2026-11-21', until: '2026-11-28' })
})

test('daysOf() has every day, over the end of a month and a leap day', () => {
  assert.deepEqual(daysOf({ since: '2028-02-28', until: '2028-03-02' }), ['2028-02-28', '2028-02-29', '2028-03-01'])
  assert.equal(daysOf(periodOf('90d', new Date('2026-11-26T12:00:00Z'), 'UTC')).length, 90)
})

test('labels have the weekday, and the month on its first day', () => {
  assert.equal(dayLabel('2026-11-21'), 'Sat 21')
  assert.equal(dayLabel('2026-12-01'), '1 Dec')
})

test('dayOf() is the day of the zone', () => {
  assert.equal(dayOf(new Date('2026-11-26T23:30:00Z'), 'America/Los_Angeles'), '2026-11-26')
})

test('startOf() is midnight in the zone, with odd offsets and on a day without midnight', () => {
  const starts = [
    ['2026-11-26', 'UTC', '2026-11-26T00:00:00.000Z'],
    ['2026-11-26', 'Asia/Kathmandu', '2026-11-25T18:15:00.000Z'],
    ['2026-11-26', 'Pacific/Kiritimati', '2026-11-25T10:00:00.000Z'],
    ['2026-07-01', 'America/Los_Angeles', '2026-07-01T07:00:00.000Z'],
    // Clocks went from 0:00 to 1:00.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
  ] as const
  for (const [day, zone, start] of starts) assert.equal(startOf(day, zone).toISOString(), start)
})
