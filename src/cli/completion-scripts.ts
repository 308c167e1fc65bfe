/** The scripts that shells load. They ask `grite __complete <words…>`; all knowledge stays in the command table. */
import type { Shell } from './completion-command.ts'

export function completionScript(shell: Shell): string {
  return scripts[shell]
}

// `git` completion calls `_git_grite` with the words of the whole line; COMP_WORDBREAKS splits `--opt=value` in two or
// three words, which are put together again before asking.
const bash = `# bash completion for grite and git grite
_grite_words() {
  local -a words=()
  local index word
  for ((index = $1; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if ((\${#words[@]} > 0)) && [[ $word == "=" && \${words[-1]} == --* ]]; then
      words[-1]+="="
    elif ((\${#words[@]} > 0)) && [[ \${words[-1]} == --*= ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  ((\${#words[@]} > 0)) || words=("")
  local typed=\${words[-1]}
  local cut=""
  [[ $typed == --*=* ]] && cut=\${typed%%=*}=
  COMPREPLY=()
  local line
  while IFS= read -r line; do
    line=\${line%%$'\\t'*}
    if [[ $line == ":files" ]]; then
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -f -- "\${typed#"$cut"}"))
      return
    fi
    [[ -n $line ]] && COMPREPLY+=("$(printf '%q' "\${line#"$cut"}")")
  done < <(command grite __complete "\${words[@]}" 2>/dev/null)
}
_grite() { _grite_words 1; }
_git_grite() {
  local index
  for ((index = 1; index < COMP_CWORD; index++)); do
    if [[ \${COMP_WORDS[index]} == grite ]]; then
      _grite_words $((index + 1))
      return
    fi
  done
}
complete -F _grite grite git-grite
`

const zsh = `#compdef grite git-grite
# zsh completion for grite and git grite
_grite() {
  local -a described plain
  local line value
  local -a typed=("\${(@)words[2,CURRENT]}")
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then
      _files
      return
    fi
    value=\${line%%$'\\t'*}
    if [[ $line == *$'\\t'* ]]; then
      described+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
    else
      plain+=("$value")
    fi
  done < <(command grite __complete "\${typed[@]}" 2>/dev/null)
  ((\${#described})) && _describe 'grite' described
  ((\${#plain})) && compadd -- "\${plain[@]}"
  return 0
}
_git-grite() { _grite "$@"; }
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _grite "$@"
else
  compdef _grite grite git-grite
fi
`

const fish = `# fish completion for grite and git grite
function __grite_complete
    set -l words (commandline -opc) (commandline -ct)
    if test "$words[1]" = git
        set -e words[1]
    end
    set -e words[1]
    for line in (command grite __complete $words 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c grite -f -a '(__grite_complete)'
complete -c git-grite -f -a '(__grite_complete)'
complete -c git -n '__fish_seen_subcommand_from grite' -f -a '(__grite_complete)'
`

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
