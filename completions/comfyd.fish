# completion of comfyd for fish; made by `comfyd completions show fish` from the command table.

function __comfyd_complete
    set -l words (commandline -opc)
    $words[1] _complete fish $words[2..-1] -- (commandline -ct) 2>/dev/null
end

function __comfyd_words -a count
    test (count (commandline -opc)) -eq $count
    and not string match -q -- '-*' (commandline -ct)
end

function __comfyd_below -a group
    __comfyd_words 2
    and test (commandline -opc)[2] = $group
end

complete -c comfyd -e
complete -c comfyd -f
complete -c comfyd -n '__comfyd_words 1' -a run -d 'Run a workflow and print the paths of its files.'
complete -c comfyd -n '__comfyd_words 1' -a repl -d 'Open the prompt comfy> on a workflow (comfyd alone does the same).'
complete -c comfyd -n '__comfyd_words 1' -a plan -d 'Say which nodes a run would execute, why, and about how long they take; nothing runs.'
complete -c comfyd -n '__comfyd_words 1' -a sweep -d 'Run every combination of several values, and draw the pictures as a labelled contact sheet.'
complete -c comfyd -n '__comfyd_words 1' -a params -d 'List the parameters of a workflow with their types, ranges and values.'
complete -c comfyd -n '__comfyd_words 1' -a nodes -d 'Search the node classes of the engine, or show one with its inputs and outputs.'
complete -c comfyd -n '__comfyd_words 1' -a convert -d 'Print a workflow in API format, with these values, as ComfyUI\'s editor exports it.'
complete -c comfyd -n '__comfyd_words 1' -a workflow -d 'Keep workflows under names of your own.'
complete -c comfyd -n '__comfyd_words 1' -a source -d 'Run a script: lines as they are typed at the prompt comfy>, up to the first that fails.'
complete -c comfyd -n '__comfyd_words 1' -a watch -d 'Follow a job from any terminal; Ctrl-C only leaves.'
complete -c comfyd -n '__comfyd_words 1' -a cancel -d 'Cancel queued or running jobs.'
complete -c comfyd -n '__comfyd_words 1' -a queue -d 'List running and queued jobs.'
complete -c comfyd -n '__comfyd_words 1' -a history -d 'List ended jobs, newest first.'
complete -c comfyd -n '__comfyd_words 1' -a again -d 'Run an earlier job once more, with the same values or with some of them changed.'
complete -c comfyd -n '__comfyd_words 1' -a ps -d 'List what is resident: models and kept results.'
complete -c comfyd -n '__comfyd_words 1' -a unload -d 'Let go of residents by name, or of all of them.'
complete -c comfyd -n '__comfyd_words 1' -a start -d 'Start the daemon; its engine warms up meanwhile.'
complete -c comfyd -n '__comfyd_words 1' -a stop -d 'Stop the daemon once its running jobs have ended.'
complete -c comfyd -n '__comfyd_words 1' -a restart -d 'Stop the daemon and start it again.'
complete -c comfyd -n '__comfyd_words 1' -a status -d 'Say how daemon and engine are.'
complete -c comfyd -n '__comfyd_words 1' -a doctor -d 'Look at everything that a job needs, and say what is wrong and what mends it.'
complete -c comfyd -n '__comfyd_words 1' -a logs -d 'Print the end of the log of daemon and engine.'
complete -c comfyd -n '__comfyd_words 1' -a engine -d 'Choose the ComfyUI behind the daemon.'
complete -c comfyd -n '__comfyd_words 1' -a config -d 'See and change the settings.'
complete -c comfyd -n '__comfyd_words 1' -a service -d 'Let systemd or launchd keep the daemon running.'
complete -c comfyd -n '__comfyd_words 1' -a completions -d 'Complete commands, workflows, parameters and values in your shell.'
complete -c comfyd -n '__comfyd_words 1' -a schema -d 'Print the JSON Schema of what commands print with --json.'
complete -c comfyd -n '__comfyd_words 1' -a help -d 'Explain a command.'
complete -c comfyd -n '__comfyd_below workflow' -a add -d 'Keep a workflow under a name, by which every command takes it.'
complete -c comfyd -n '__comfyd_below workflow' -a list -d 'List the stored workflows.'
complete -c comfyd -n '__comfyd_below workflow' -a show -d 'Say what a stored workflow is, where it came from and which aliases it has.'
complete -c comfyd -n '__comfyd_below workflow' -a path -d 'Print the file in which a stored workflow is kept.'
complete -c comfyd -n '__comfyd_below workflow' -a rm -d 'Forget stored workflows.'
complete -c comfyd -n '__comfyd_below workflow' -a alias -d 'Give a parameter of a stored workflow a name of your own.'
complete -c comfyd -n '__comfyd_below workflow' -a unalias -d 'Forget such a name.'
complete -c comfyd -n '__comfyd_below engine' -a install -d 'Fetch the managed ComfyUI.'
complete -c comfyd -n '__comfyd_below engine' -a use -d 'Use a ComfyUI checkout of your own.'
complete -c comfyd -n '__comfyd_below engine' -a status -d 'Say which ComfyUI is used, and why.'
complete -c comfyd -n '__comfyd_below engine' -a remove -d 'Remove the managed ComfyUI.'
complete -c comfyd -n '__comfyd_below config' -a show -d 'Print every setting as it is in force, and where it was set.'
complete -c comfyd -n '__comfyd_below config' -a path -d 'Print where the configuration file is.'
complete -c comfyd -n '__comfyd_below config' -a edit -d 'Open the configuration file, with every setting named in it, in your editor.'
complete -c comfyd -n '__comfyd_below service' -a install -d 'Let the service manager keep the daemon running, from now on and at every login.'
complete -c comfyd -n '__comfyd_below service' -a uninstall -d 'Stop the service once its running jobs have ended, and remove it.'
complete -c comfyd -n '__comfyd_below service' -a print -d 'Print the systemd unit (on macOS the launchd property list) that install would write.'
complete -c comfyd -n '__comfyd_below completions' -a install -d 'Install completion for your shell.'
complete -c comfyd -n '__comfyd_below completions' -a uninstall -d 'Remove it.'
complete -c comfyd -n '__comfyd_below completions' -a show -d 'Print the script that install would write.'
complete -c comfyd -k -n 'not __comfyd_words 1; and not __comfyd_below workflow; and not __comfyd_below engine; and not __comfyd_below config; and not __comfyd_below service; and not __comfyd_below completions' -a '(__comfyd_complete)'
