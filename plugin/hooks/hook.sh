#!/bin/sh
# Answers the hooks of Claude Code. In a session that drives no experiment it looks for one file, and starts no Python.
# Whatever fails here, the session goes on as if there were no hook: this always exits with 0.
exec 2>/dev/null

# Prints one line if the program has another version than this plugin. Its version is in the name of a folder.
compare_versions() {
  root=${CLAUDE_PLUGIN_ROOT:-${0%/hooks/*}}
  ours=$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' "$root/.claude-plugin/plugin.json")
  program=$(command -v flagstone) && program=$(readlink -f "$program") || return 0
  for info in "${program%/bin/*}"/lib/python3*/site-packages/flagstone-*.dist-info; do
    theirs=${info##*/flagstone-}
    theirs=${theirs%.dist-info}
    if [ -d "$info" ] && [ -n "$ours" ] && [ "$theirs" != "$ours" ]; then
      echo "flagstone $theirs is installed, but its plugin is version $ours: update the older one"
    fi
    return 0
  done
}

decide() { # DECISION REASON
  printf '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"%s","permissionDecisionReason":"%s"}}\n' \
    "$1" "$2"
  exit 0
}

# Leaves the approval of a stage to a person. The input is compact JSON: quotes within a value have a backslash.
leave_approval_to_a_person() {
  case $input in
  *'"file_path":"'*)
    path=${input#*'"file_path":"'}
    path=${path%%\"*}
    case $path in
    */approved/*)
      [ -f "${path%/approved/*}/run.yaml" ] && decide deny "Only a person approves a stage of a run."
      ;;
    esac
    ;;
  *'"command":"'*)
    words=${input#*'"command":"'}
    case $words in
    *flagstone*[!a-z/]approve[!d]* | *touch*approved* | *approved*touch* | *approved/*.flag* | *approved/seals.jsonl*)
      decide ask "Only a person approves a stage of a run: do you?"
      ;;
    esac
    ;;
  esac
}

event=$1
state=${XDG_STATE_HOME:-}
case $state in
/*) ;;
*) state=$HOME/.local/state ;;
esac
input=$(cat)
session=${input#*'"session_id":"'}
session=$state/flagstone/sessions/${CLAUDE_CODE_SESSION_ID:-${session%%\"*}}
case $event in
session-start) compare_versions ;;
before-tool)
  case $input in *approve*) leave_approval_to_a_person ;; esac
  ;;
esac
[ -f "$session" ] || exit 0

read -r program <"$session" || exit 0
[ -x "$program" ] || program=flagstone # an environment that was made anew elsewhere
answer=$(printf '%s' "$input" | "$program" plugin hook "$event") || exit 0
case $event:$answer in
session-start:?* | *:'{"'*) printf '%s\n' "$answer" ;;
esac
exit 0
