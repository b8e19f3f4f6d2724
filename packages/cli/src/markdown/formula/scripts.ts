const superscripts = pairs(
  '0⁰1¹2²3³4⁴5⁵6⁶7⁷8⁸9⁹+⁺−⁻=⁼(⁽)⁾aᵃbᵇcᶜdᵈeᵉfᶠgᵍhʰiⁱjʲkᵏlˡmᵐnⁿoᵒpᵖrʳsˢtᵗuᵘvᵛwʷxˣyʸzᶻAᴬBᴮDᴰEᴱGᴳHᴴIᴵJᴶKᴷLᴸMᴹNᴺOᴼPᴾRᴿTᵀUᵁVⱽWᵂβᵝγᵞδᵟθᶿφᵠχᵡ⊤ᵀ∗*∘°′′″″‴‴††',
)
const subscripts = pairs('0₀1₁2₂3₃4₄5₅6₆7₇8₈9₉+₊−₋=₌(₍)₎aₐeₑhₕiᵢjⱼkₖlₗmₘnₙoₒpₚrᵣsₛtₜuᵤvᵥxₓβᵦγᵧρᵨφᵩχᵪ')

/** Writes a superscript in raised characters, or behind `^` if Unicode lacks one of them. */
export function superscript(text: string): string {
  return script(text, superscripts, '^')
}

/** Writes a subscript in lowered characters, or behind `_` if Unicode lacks one of them. */
export function subscript(text: string): string {
  return script(text, subscripts, '_')
}

function script(spaced: string, characters: ReadonlyMap<string, string>, mark: string): string {
  if (spaced === '') return ''
  // `i = 1` is written as `i=1`, but words stay apart.
  const text = spaced.replaceAll(/ ?([^\p{L}\p{N}\s]) ?/gu, '$1')
  const shifted = Array.from(text, (character) => characters.get(character))
  if (shifted.every((character) => character !== undefined)) return shifted.join('')
  // A word stands for itself, and letters beside each other for a product.
  return mark + (/^(?:.|\d+|\p{L}{3,})$/u.test(text) ? text : `(${text})`)
}

function pairs(text: string): ReadonlyMap<string, string> {
  return new Map(text.match(/../gu)?.map((pair) => [...pair] as [string, string]))
}
