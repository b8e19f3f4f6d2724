import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diagrams, svgOf } from '../scripts/diagrams.ts'
import { read } from './source.ts'

const places: Record<string, string> = { turn: 'conversation.md', layers: 'packages.md', server: 'server.md' }

for (const [name, diagram] of Object.entries(diagrams))
  test(`the diagram ${name} is what npm run diagrams draws, and a page shows it with its text`, () => {
    assert.equal(read(`docs/images/${name}.svg`), svgOf(diagram), 'npm run diagrams')
    assert.ok(read(`docs/${places[name]}`).includes(`![${diagram.alt}](images/${name}.svg)`))
    for (const { x, y, width } of diagram.boxes)
      assert.ok(x + width <= diagram.width && y + 40 <= diagram.height, `${x} ${y}`)
  })
