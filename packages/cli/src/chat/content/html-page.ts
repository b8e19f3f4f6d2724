import { escapeHtml } from '../../markdown/html/escape.ts'

const style = `
:root { color-scheme: light dark }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
section { border-top: 1px solid #8888; margin-top: 1rem }
h2 { font-size: 1rem; margin-bottom: 0 }
pre { white-space: pre-wrap; font: inherit; margin: 0.25rem 0 }
pre code { display: block; padding: 0.5rem; white-space: pre; overflow-x: auto; background: #8882 }
pre :is(.comment, .quote, .meta) { color: light-dark(#5f6368, #a0a4aa) }
pre :is(.keyword, .literal, .selector-tag, .tag) { color: light-dark(#8a2a8f, #d79be8) }
pre :is(.string, .regexp, .addition) { color: light-dark(#236b2c, #93d095) }
pre :is(.number, .symbol, .attr, .attribute, .built_in, .type) { color: light-dark(#8a4b00, #e5b567) }
pre :is(.title, .name, .section, .selector-class, .selector-id) { color: light-dark(#1a55a8, #84b6f4) }
pre :is(.variable, .deletion) { color: light-dark(#a32020, #f29a9a) }
blockquote { border-left: 3px solid #8888; margin-left: 0; padding-left: 1rem }
div, table, pre:has(code) { margin-block: 1rem }
table { border-collapse: collapse }
th, td { border-bottom: 1px solid #8888; padding: 0.2rem 0.75rem; vertical-align: top }
math { overflow-x: auto }
.tml-left { text-align: left }
.tml-right { text-align: right }
.tml-overline { border-top: 0.05em solid }
`

/** A page of finished HTML. It runs and loads nothing, and its policy forbids both, so it is safe to open and to pass on. */
export function htmlPage(title: string, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
<h1>${escapeHtml(title)}</h1>
${sections.join('\n')}
</html>
`
}
