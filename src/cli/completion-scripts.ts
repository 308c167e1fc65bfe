/** The completion scripts. They call `grite __complete <words…>`, so all knowledge stays in the command table. */
import type { Shell } from './completion-command.ts'

export function completionScript(shell: Shell): string {
  return scripts[shell]
}

// Readline splits words at the characters of COMP_WORDBREAKS (including `:`, `=` and `@`), passes them as typed, including
// quotes, and replaces only the last piece. `git` completion calls `_git_grite` with the words of the whole line. Compatible
// with bash 3.2, which has no `compopt` and no negative subscripts.
const bash = `# bash completion for grite and git grite

# Sets plain to a word without its quotes, quote to the one that is open at its end, and cut to what of plain stands
# before the piece that readline replaces.
_grite_unquote() {
  local text=$1 index char next
  plain="" quote="" cut=""
  for ((index = 0; index < \${#text}; index++)); do
    char=\${text:index:1}
    next=\${text:index+1:1}
    if [[ $char == "\\\\" && $quote != "'" && ( -z $quote || $next == ["\\"\\\\\\$\\\`"] ) ]]; then
      plain+=$next
      ((index++))
    elif [[ -z $quote && $char == ["\\"'"] ]]; then
      quote=$char
      cut=$plain
    elif [[ -n $quote && $char == "$quote" ]]; then
      quote=""
    else
      plain+=$char
      # Of an at sign readline thinks as of the beginning of a host name.
      [[ -z $quote && $COMP_WORDBREAKS == *"$char"* ]] && cut=\${plain%@}
    fi
  done
}

# Sets words to those from the one numbered $1 up to the cursor, each as it was typed.
_grite_join() {
  local index word blanks last rest=\${COMP_LINE:0:\${COMP_POINT:-0}}
  words=()
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    blanks=\${rest%%[! $'\\t']*}
    rest=\${rest#"$blanks"}
    # The cursor may stand inside of the last word.
    [[ -n $COMP_LINE && $index -eq $COMP_CWORD && $word == "$rest"* ]] && word=$rest
    rest=\${rest#"$word"}
    ((index < $1)) && continue
    last=$((\${#words[@]} - 1))
    if ((last >= 0)) && [[ -z $blanks && ( $word == [:=@]* || \${words[last]} == *[:=@] ) ]]; then
      words[last]+=$word
    else
      words+=("$word")
    fi
  done
}

_grite_complete() {
  local -a words asked=()
  local word plain quote cut line value option=""
  _grite_join "$1"
  for word in "\${words[@]}"; do
    _grite_unquote "$word"
    asked+=("$plain")
  done
  [[ $plain == --*=* ]] && option=\${plain%%=*}=
  COMPREPLY=()
  while IFS= read -r line; do
    value=\${line%%$'\\t'*}
    if [[ $value == ":files" ]]; then
      _grite_files
      return
    fi
    [[ $value == *= ]] && compopt -o nospace 2>/dev/null
    [[ -n $value ]] && _grite_offer "\${value#"$cut"}"
  done < <(command grite __complete "\${asked[@]}" 2>/dev/null)
}

# Takes a value as it is, and offers it as it has to be typed.
_grite_offer() {
  local value=$1
  case $quote in
    "'") value=\${value//"'"/"'\\\\''"} ;;
    '"') value=$(sed 's/[\\\\"$\`]/\\\\&/g' <<<"$value") ;;
    *) [[ -n $value ]] && printf -v value %q "$value" ;;
  esac
  COMPREPLY+=("$value")
}

# File names are quoted by readline, where it can be told that they are.
_grite_files() {
  local file told=""
  compopt -o filenames 2>/dev/null && told=1
  while IFS= read -r file; do
    file=$option$file
    if [[ -n $told ]]; then
      COMPREPLY+=("\${file#"$cut"}")
    else
      _grite_offer "\${file#"$cut"}"
    fi
  done < <(compgen -f -- "\${plain#"$option"}")
}

_grite() { _grite_complete 1; }
_git_grite() {
  local index
  for ((index = 1; index < COMP_CWORD; index++)); do
    if [[ \${COMP_WORDS[index]} == grite ]]; then
      _grite_complete $((index + 1))
      return
    fi
  done
}
complete -F _grite grite git-grite
`

const zsh = `#compdef grite git-grite
# zsh completion for grite and git grite
_grite() {
  local -a described plain open
  local line value
  # Without quotes, and only up to the cursor.
  local -a asked=("\${(@Q)words[2,CURRENT]}")
  asked[-1]=\${(Q)\${:-$IPREFIX$PREFIX}}
  while IFS= read -r line; do
    value=\${line%%$'\\t'*}
    if [[ $value == ":files" ]]; then
      compset -P '--*='
      _files
      return
    elif [[ $line == *$'\\t'* ]]; then
      described+=("\${\${value//\\\\/\\\\\\\\}//:/\\\\:}:\${line#*$'\\t'}")
    elif [[ $value == *= ]]; then
      open+=("$value")
    else
      plain+=("$value")
    fi
  done < <(command grite __complete "\${asked[@]}" 2>/dev/null)
  ((\${#described})) && _describe 'grite' described
  ((\${#plain})) && compadd -- "\${plain[@]}"
  ((\${#open})) && compadd -S '' -- "\${open[@]}"
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
    # Behind \`git\` and its own options.
    while test (count $words) -gt 0; and not contains -- (basename -- $words[1]) grite git-grite
        set -e words[1]
    end
    set -e words[1]
    # The word at the cursor stands as it was typed.
    set -l typed (string unescape -- $words[-1]; or echo -- $words[-1])
    set -e words[-1]
    for line in (command grite __complete $words "$typed" 2>/dev/null)
        if test "$line" = ":files"
            set -l option (string match -r -- '^--[^=]+=' "$typed")
            for file in (__fish_complete_path (string replace -r -- '^--[^=]+=' '' "$typed"))
                echo -- "$option$file"
            end
        else
            echo -- $line
        end
    end
end
complete -c grite -f -a '(__grite_complete)'
complete -c git-grite -f -a '(__grite_complete)'
complete -c git -n '__fish_seen_subcommand_from grite' -f -a '(__grite_complete)'
`

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
