# Completion of `inv` in bash: tasks, options, environments, colors, versions, items of the checklist.
#
#     eval "$(python -m deploytasks completion bash)"     in ~/.bashrc
#
# It asks the `inv` that is on the PATH when Tab is pressed, so each project has its own.

_deploytasks_inv() {
    local inv line
    COMPREPLY=()
    inv=$(type -P -- "${COMP_WORDS[0]}") || return 0
    inv=$(readlink -f -- "$inv" 2>/dev/null || printf '%s' "$inv")
    if [[ -x "${inv%/*}/deploytasks" ]]; then
        while IFS= read -r line; do
            COMPREPLY+=("$line")
        done < <("${inv%/*}/deploytasks" complete bash "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
    else # another project's, without deploytasks
        while IFS= read -r line; do
            [[ "$line" == "${COMP_WORDS[COMP_CWORD]}"* ]] && COMPREPLY+=("$line")
        done < <("$inv" --complete -- "${COMP_WORDS[*]}" 2>/dev/null)
    fi
    return 0
}

complete -o default -F _deploytasks_inv inv invoke
