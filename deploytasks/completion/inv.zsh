#compdef inv invoke
# Completion of `inv` in zsh: tasks, options, environments, colors, versions, items of the checklist.
#
#     eval "$(python -m deploytasks completion zsh)"      in ~/.zshrc, after compinit
#
# It asks the `inv` that is on the PATH when Tab is pressed, so each project has its own.

_deploytasks_inv() {
    local inv found
    local -a offers
    inv=$(whence -p -- ${(Q)words[1]}) || return 1
    inv=${inv:A}
    if [[ -x ${inv:h}/deploytasks ]]; then
        found=$(${inv:h}/deploytasks complete zsh "${(@Q)words[1,CURRENT]}" 2>/dev/null)
    else # another project's, without deploytasks
        found=$($inv --complete -- "${(j: :)words[1,CURRENT]}" 2>/dev/null)
    fi
    offers=(${(f)found})
    if (( $#offers )); then
        _describe 'inv' offers
    else
        _files
    fi
}

if [[ $funcstack[1] == _inv ]]; then
    _deploytasks_inv "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _deploytasks_inv inv invoke
fi
