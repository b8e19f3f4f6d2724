// Each script passes the words of the line to `colloquy completion words`, which prints the candidates for the last one, one a
// line. So a new command or flag needs no new script.

const bash = `_colloquy() {
  local IFS=$'\\n' word=\${COMP_WORDS[COMP_CWORD]}
  local line=\${COMP_LINE:0:COMP_POINT}
  # Bash breaks words at colons and equal signs; the program needs whole ones.
  local whole=\${line##* }
  local words=(\${line//+( )/$'\\n'})
  [[ $line == *' ' ]] && words+=('') && whole=
  COMPREPLY=($(compgen -W "$(colloquy completion words -- "\${words[@]:1}" 2>/dev/null)" -- "$whole"))
  local cut=\${whole%"$word"}
  COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
  [[ \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default
}
shopt -s extglob
complete -F _colloquy colloquy
`

const zsh = `#compdef colloquy
_colloquy() {
  local -a found
  found=("\${(@f)$(colloquy completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[*]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
compdef _colloquy colloquy
`

// Without words fish completes files.
const fish = `function __colloquy_has_words
    set -l line (commandline -opc) (commandline -ct)
    set -l begun (commandline -ct | string escape --style=regex)
    set -g __colloquy_words (colloquy completion words -- $line[2..-1] 2>/dev/null | string match --entire --regex -- "^$begun")
    test (count $__colloquy_words) -gt 0
end
complete -c colloquy -n __colloquy_has_words -f -a '$__colloquy_words'
`

const powershell = `Register-ArgumentCompleter -Native -CommandName colloquy -ScriptBlock {
  param($word, $line, $cursor)
  $given = @($line.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($word -eq '') { $given += '' }
  colloquy completion words '--' @given 2>$null | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`

export const scripts: ReadonlyMap<string, string> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
  ['powershell', powershell],
])
