import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { formulaText } from './formula-text.ts'

const formulas: ReadonlyArray<readonly [tex: string, text: string]> = [
  [String.raw`x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}`, 'x = (−b ± √(b² − 4ac))/(2a)'],
  [String.raw`\sum_{i=1}^{n} i^2 = \frac{n(n+1)(2n+1)}{6}`, '∑ᵢ₌₁ⁿ i² = (n(n + 1)(2n + 1))/6'],
  [String.raw`\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}`, '∫₀^∞ e^(−x²) dx = √π/2'],
  [String.raw`\lim_{x\to 0} \frac{\sin x}{x} = 1`, 'lim_(x→0) (sin x)/x = 1'],
  [String.raw`\frac{dy}{dx} = \frac{d^2 y}{dx^2}`, 'dy/dx = d²y/dx²'],
  [String.raw`\frac{1}{2} m v^2, \frac{a}{b}\frac{c}{d}, \frac{a}{bc}`, '(1/2)mv², (a/b)(c/d), a/(bc)'],
  [String.raw`\sqrt{\frac{1}{N} \sum_{i=1}^{N} (x_i - \mu)^2}`, '√((1/N) ∑ᵢ₌₁ᴺ (xᵢ − μ)²)'],
  [
    String.raw`2^{2^n}, e^{i\pi}, a_{i,j}, 10^{-3}, 90^\circ, x^*, f''(x)`,
    '2^(2ⁿ), e^(iπ), a_(i,j), 10⁻³, 90°, x*, f″(x)',
  ],
  [String.raw`\sqrt[3]{x+1}, \sqrt[n]{x}, \sqrt{2}x`, '∛(x + 1), ⁿ√x, √2x'],
  [String.raw`\hat{y}, \vec{v}, \overline{AB}`, 'ŷ, v\u20d7, A\u0305B\u0305'],
  [String.raw`\mathbb{R}^n \to \mathbb{R}, \mathbf{x}, \mathcal{D}`, 'ℝⁿ → ℝ, x, D'],
  [String.raw`P(A \mid B) = \frac{P(B \mid A) P(A)}{P(B)}`, 'P(A | B) = (P(B | A)P(A))/(P(B))'],
  [String.raw`\begin{pmatrix} a & b \\ c & d \end{pmatrix}, \binom{n}{k}`, '(a, b; c, d), (n choose k)'],
  [String.raw`\begin{cases} x & \text{if } x>0 \\ 0 & \text{else}\end{cases}`, '{x, if x > 0; 0, else'],
  [String.raw`\begin{align} a &= b \\ ccc &= d \end{align}`, '  a = b\nccc = d'],
  [String.raw`a = 1 \\ b = 2`, 'a = 1\nb = 2'],
  [String.raw`x \in \{1, 2\}, A \subseteq B, \neg p \land q \Rightarrow r`, 'x ∈ {1, 2}, A ⊆ B, ¬p ∧ q ⇒ r'],
  [String.raw`\text{speed} = 3 \times 10^8\ \mathrm{m/s}`, 'speed = 3 × 10⁸ m/s'],
  [String.raw`\log_2 n, \sin^2 x, O(n \log n), \sin(x)\cos(y)`, 'log₂ n, sin² x, O(n log n), sin(x) cos(y)'],
]

for (const [tex, text] of formulas) {
  test(`formulaText() writes ${tex}`, () => {
    assert.equal(formulaText(tex), text)
  })
}

test('formulaText() returns undefined for what text cannot show', () => {
  const unknown = [
    '\\frac{1}',
    '\\cancel{x}',
    '\\underbrace{a+b}_{n}',
    '\\xrightarrow{f}',
    '\\widehat{xyz}',
    '\\href{a}{b}',
  ]
  for (const tex of [...unknown, '{'.repeat(3_000) + '}'.repeat(3_000), 'x'.repeat(5_001)])
    assert.equal(formulaText(tex), undefined, tex)
})

test('formulaText() writes no control characters and never throws', () => {
  const part = fc.constantFrom(
    '\\frac',
    '{',
    '}',
    '^',
    '_',
    'x',
    '1',
    '\\sqrt',
    '\\\\',
    '&',
    '\\text{\u001b[31m}',
    '\u202e',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      assert.doesNotMatch(formulaText(parts.join('')) ?? '', /(?!\n)\p{Cc}|\p{Bidi_Control}/u)
    }),
  )
})
