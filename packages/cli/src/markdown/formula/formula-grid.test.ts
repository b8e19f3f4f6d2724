import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { plainPainter } from '../../terminal/style.ts'
import { MarkdownStream } from '../markdown-stream.ts'
import { formulaGrid } from './formula-grid.ts'

const formulas: ReadonlyArray<readonly [tex: string, lines: string[]]> = [
  [
    String.raw`A^{-1} = \frac{1}{ad-bc}\begin{bmatrix} d & -b \\ -c & a \end{bmatrix}`,
    ['A⁻¹ = (1/(ad − bc))⎡ d   −b ⎤', '                   ⎣ −c  a  ⎦'],
  ],
  [
    String.raw`\begin{pmatrix} 1 & 0 & 0 \\ 0 & \cos\theta & -\sin\theta \\ 0 & 1 & 10 \end{pmatrix}^T x + 1`,
    ['⎛ 1    0      0    ⎞ᵀ', '⎜ 0  cos θ  −sin θ ⎟ x + 1', '⎝ 0    1      10   ⎠'],
  ],
  [
    String.raw`f(x) = \begin{cases} 1 & \text{if } x>0 \\ 10 & \text{else}\end{cases}`,
    ['f(x) = ⎧ 1   if x > 0', '       ⎩ 10  else'],
  ],
  [
    String.raw`\left\{\begin{aligned} x+y &= 1 \\ 2x-y &= 2 \\ z &= 3 \end{aligned}\right.`,
    ['⎧  x + y = 1', '⎨ 2x − y = 2', '⎩      z = 3'],
  ],
  [
    String.raw`\begin{vmatrix} a \\ b \\ c \end{vmatrix} = \begin{pmatrix} d \\ e \end{pmatrix}`,
    ['│ a │', '│ b │ = ⎛ d ⎞', '│ c │   ⎝ e ⎠'],
  ],
]

for (const [tex, lines] of formulas) {
  test(`formulaGrid() draws ${tex}`, () => {
    assert.deepEqual(formulaGrid(tex), lines)
  })
}

test('formulaGrid() returns undefined for a formula without a matrix, and one that text cannot show', () => {
  for (const tex of [
    'x',
    'a \\\\ b',
    '\\begin{matrix} a \\\\ b',
    '\\cancel{x} \\begin{pmatrix} a \\\\ b \\end{pmatrix}',
  ])
    assert.equal(formulaGrid(tex), undefined, tex)
})

test('formulaGrid() writes no control characters and never throws', () => {
  const part = fc.constantFrom(
    '\\begin{pmatrix}',
    '\\end{pmatrix}',
    '\\left\\{',
    '\\right.',
    '\\\\',
    '&',
    'x',
    '^2',
    '\ue100',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 16 }), (parts) => {
      const lines = formulaGrid(`\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix} ${parts.join(' ')}`) ?? []
      assert.doesNotMatch(lines.join(''), /\p{Cc}|[\ue100-\ue1ff]/u)
    }),
  )
})

test('a matrix is drawn in a block of its own, and in one line where the window is too narrow', () => {
  const render = (columns: number): string[] => {
    const stream = new MarkdownStream({ columns, paint: plainPainter })
    stream.push('So:\n\n$$\nABC = \\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}\n$$\n')
    return stream.end()
  }
  assert.deepEqual(render(40), ['So:', '', 'ABC = ⎛ a  b ⎞', '      ⎝ c  d ⎠'])
  assert.deepEqual(render(13), ['So:', '', 'ABC = (a, b;', 'c, d)'])
})
