# Completion of `inv` in fish: tasks, options, environments, colors, versions, items of the checklist.
#
#     python -m deploytasks completion fish > ~/.config/fish/completions/inv.fish
#
# It asks the `inv` that is on the PATH when Tab is pressed, so each project has its own.

function __deploytasks_inv
    set --local current (commandline -ct)
    set --local words (commandline -opc) "$current"
    set --local inv (command --search -- $words[1])
    or return 0
    set --local home (dirname (realpath $inv))
    set --local found
    if test -x $home/deploytasks
        set found ($home/deploytasks complete fish $words 2>/dev/null)
    else # another project's, without deploytasks
        set found ($inv --complete -- "$words" 2>/dev/null)
    end
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$current"
    end
end

complete --command inv --no-files --arguments '(__deploytasks_inv)'
complete --command invoke --no-files --arguments '(__deploytasks_inv)'
