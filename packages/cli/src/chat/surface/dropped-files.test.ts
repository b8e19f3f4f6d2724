import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { pathToFileURL } from 'node:url'
import { mentionsOfDropped } from './dropped-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-dropped-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const picture = join(folder, 'a.png')
const spaced = join(folder, 'b c.PDF')
const notes = join(folder, 'notes.md')
for (const path of [picture, spaced, notes]) writeFileSync(path, 'x')

const pastes: [what: string, text: string, mentions: string | undefined][] = [
  ['a path', picture, `@${picture} `],
  ['a path with the space of a drop', `${picture} `, `@${picture} `],
  ['a path in quotes', `'${spaced}'`, `@"${spaced}" `],
  ['a path with backslashes', spaced.replace(' ', '\\ '), `@"${spaced}" `],
  ['a file address', pathToFileURL(spaced).href, `@"${spaced}" `],
  ['several paths', `"${spaced}" ${picture}`, `@"${spaced}" @${picture} `],
  ['a text file', notes, undefined],
  ['a picture among words', `look at ${picture}`, undefined],
  ['a file that is not there', join(folder, 'other.png'), undefined],
  ['a path that is too long', `/${'a'.repeat(300)}.png`, undefined],
  ['a relative path', 'a.png', undefined],
  ['two lines', `${picture}\n${picture}`, undefined],
  ['an open quote', `'${picture}`, undefined],
  ['nothing', '', undefined],
]

for (const [what, text, mentions] of pastes) {
  test(`mentionsOfDropped() reads ${what}`, { skip: process.platform === 'win32' }, () => {
    assert.equal(mentionsOfDropped(text), mentions)
  })
}
