import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caseForms, foldCase } from './text.ts'

/** The letters of all scripts that have cases, without the Turkish İ, whose lower case has two characters. */
const letters = Array.from({ length: 0x1_f000 }, (_, code) => (code >= 0xd800 && code < 0xe000 ? 0 : code))
  .map((code) => String.fromCodePoint(code))
  .filter((letter) => letter.toLowerCase() !== letter.toUpperCase() && letter !== 'İ')

test('letters are folded as a regular expression without regard to case compares them', () => {
  for (const letter of letters) {
    const folded = foldCase(letter)
    for (const other of [letter.toLowerCase(), letter.toUpperCase(), folded]) {
      const isSame = new RegExp(`^${letter}$`, 'iu').test(other)
      assert.equal(foldCase(other) === folded, isSame, `${letter} ${other}`)
    }
    assert.equal(foldCase(folded), folded)
  }
})

test('the forms of a letter are all those that are folded to the same one', () => {
  // Letters in title case, such as ǅ, are found as themselves and in lower case.
  const cased = letters.filter((letter) => !/\p{Lt}/u.test(letter))
  const groups = Map.groupBy(cased, foldCase)
  for (const letter of cased) {
    const forms = caseForms(letter).filter((form) => cased.includes(form))
    assert.deepEqual(forms.toSorted(), groups.get(foldCase(letter))!.toSorted(), letter)
  }
})
