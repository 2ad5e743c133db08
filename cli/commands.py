"""The one table of commands: the parser, the help, the REPL and shell completion all read it. Data only.

A command's ``handler`` is "module:function" in this package, imported when the command runs, so that no command pays
for another's imports. The function takes the Terminal and one keyword for each argument and option.
"""

from collections.abc import Sequence

from comfyd.modes import MODES

from .spec import Argument, Command, Option

GROUPS = ("Values", "Workflows", "Jobs", "Memory", "Daemon", "Help")
WORD_GROUPS = {
    "workflow": "Keep workflows under names of your own.",
    "engine": "Choose the ComfyUI behind the daemon.",
    "config": "See and change the settings.",
    "completions": "Complete commands, workflows, parameters and values in your shell.",
    "service": "Let systemd or launchd keep the daemon running.",
}
"""What is said of the first word of several commands."""


_WORKFLOW_HELP = "a file (JSON, or a picture, video or sound that ComfyUI saved), a stored or a built-in name (demo)"
WORKFLOW = Argument(name="workflow", kind="workflow", metavar="WORKFLOW", help=_WORKFLOW_HELP + ", or - for stdin")
PARAMETERS = Argument(
    name="words",
    kind="parameters",
    metavar="NAME VALUE",
    required=False,
    many=True,
    help='values for this run: an alias (seed 42), NODE_ID.input, or "Node title".input; a text needs no quotes',
)
STORED = Argument(name="name", kind="stored", metavar="NAME", help="a name as comfyd workflow list shows it")
JOB = Argument(name="job", kind="job", metavar="JOB", help="the job's number, as queue and history show it")
JSON = Option(name="json", flags=("--json",), help="print NDJSON; the last line is the result")
JSON_REPLY = Option(name="json", flags=("--json",), help="print one line of JSON")
OPTIONAL_JOB = Argument(
    name="job",
    kind="job",
    metavar="JOB",
    required=False,
    help="the job's number, as queue and history show it; default: the last",
)
SCRIPT = Argument(name="file", kind="path", metavar="FILE", help="the script, or - for stdin")
_SCRIPT = (
    "Empty lines and lines that begin with # are passed over; a text between triple quotes may go over several lines. "
    "The exit status is that of the line that failed."
)
QUIET = Option(name="quiet", flags=("-q", "--quiet"), help="print the paths and nothing else")
KEEP_GOING = Option(name="keep_going", flags=("-k", "--keep-going"), help="go on after a line that fails")
JSON_LINES = Option(name="json", flags=("--json",), help="every line answers in NDJSON")
NO_START = Option(name="no_start", flags=("--no-start",), help="refuse instead of starting the daemon")
COMFYUI = Option(
    name="comfyui", flags=("--comfyui",), metavar="PATH", kind="path", help="the ComfyUI checkout for a daemon that is started"
)
MODE = Option(
    name="mode",
    flags=("--mode",),
    metavar="MODE",
    choices=MODES,
    help="exact: ComfyUI's own bits; fast: compiled kernels, pictures that look the same; default: as config.toml says",
)
LOG_JSON = Option(name="log_json", flags=("--log-json",), help="the daemon writes its log as a JSON object per line")
SHELL_NAME = Argument(name="shell", metavar="SHELL", required=False, help="bash, zsh or fish; default: the one that SHELL names")
COUNT = Option(name="count", flags=("-n", "--count"), metavar="N", kind="number", default=20, help="how many")
YES = Option(name="yes", flags=("-y", "--yes"), help="do not ask")

HOME = (
    *("COMFYD_HOME", "COMFYD_CONFIG"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"),
)
SETTINGS = (*HOME, "COMFYD_X")
START = (*HOME, "COMFYD_COMFYUI", "COMFYD_PYTHON", "COMFYD_ENGINE_ARGS", "COMFYD_AUTO_INSTALL", "COMFYD_X")
PICTURES = (
    *("COMFYD_PREVIEW", "TERM_PROGRAM", "LC_TERMINAL", "KITTY_WINDOW_ID", "GHOSTTY_RESOURCES_DIR"),
    *("TMUX", "STY", "ZELLIJ", "TERM_PROGRAM_VERSION", "COLORTERM", "VTE_VERSION", "SSH_CONNECTION"),
)

PREVIEWS = (
    Option(
        name="preview",
        flags=("--preview",),
        metavar="HOW",
        choices=("auto", "kitty", "iterm2", "sixel", "blocks", "off"),
        help="show pictures on the terminal: auto, kitty, iterm2, sixel, blocks or off; default: as config.toml says",
    ),
    Option(name="no_preview", flags=("--no-preview",), help="show no pictures, as --preview off"),
)

RUN_OPTIONS = (
    Option(
        name="output",
        flags=("-o", "--output"),
        metavar="PATH",
        kind="path",
        help="copy the files to this name or into this directory; - writes a single file to stdout",
    ),
    JSON,
    QUIET,
    MODE,
    *PREVIEWS,
    Option(name="detach", flags=("-d", "--detach"), help="print the job's number and leave it running"),
)

SWEPT = Argument(
    name="words",
    kind="parameters",
    metavar="NAME VALUES",
    many=True,
    several=True,
    help="values of each parameter: 4,6,8 or 1..8 or 0.5..1:0.1 or random*4, a text, or @FILE with one to a line",
)
SWEEP_OPTIONS = (
    Option(
        name="output",
        flags=("-o", "--output"),
        metavar="DIR",
        kind="path",
        help="the directory for pictures and contact sheet; default: WORKFLOW-sweep",
    ),
    Option(name="zip", flags=("--zip",), help="pair the values one by one instead of combining all"),
    Option(name="html", flags=("--html",), help="write the contact sheet as a page, too: index.html"),
    JSON,
    Option(name="quiet", flags=("-q", "--quiet"), help="print the paths and nothing else"),
    MODE,
    Option(name="detach", flags=("-d", "--detach"), help="hand in all jobs and leave; the same command later collects them"),
    YES,
)
_SWEEP_DETAILS = (
    "Pictures are named by their values, seed=1,cfg=4.png. The same command again runs only what is missing. "
    "What is upstream changes least. Several texts: @FILE, or a JSON array. Ctrl-C cancels what is left."
)

TABLE: tuple[Command, ...] = (
    Command(
        name="run",
        group="Workflows",
        handler="workflows:run",
        where="shell",
        summary="Run a workflow and print the paths of its files.",
        details="Options may stand anywhere; what follows -- is taken as it is. Ctrl-C cancels the job.",
        arguments=(WORKFLOW, PARAMETERS),
        options=(*RUN_OPTIONS, COMFYUI, NO_START),
        environment=(*START, "COMFYD_MODE", *PICTURES),
        examples=(
            "comfyd run demo",
            "comfyd run demo prompt a red apple in the snow seed 7 steps 20 -o apple.png",
            'comfyd run flow.png prompt "a {red|green} fox" image ./cat.png seed random',
            "comfyd run flow.json seed +1 base.steps 30 lora.1.strength 0.8",
            "comfyd run flow.json 5.cfg -1 --json",
        ),
    ),
    Command(
        name="repl",
        group="Workflows",
        handler="workflows:repl",
        where="shell",
        summary="Open the prompt comfy> on a workflow (comfyd alone does the same).",
        arguments=(
            Argument(
                name="workflow", kind="workflow", metavar="WORKFLOW", required=False, help=WORKFLOW.help + "; default: demo"
            ),
        ),
        options=(MODE, *PREVIEWS, COMFYUI, NO_START),
        environment=(*START, "COMFYD_MODE", *PICTURES, "COLORFGBG", "DISPLAY", "WAYLAND_DISPLAY"),
    ),
    Command(
        name="plan",
        group="Workflows",
        handler="plan:plan",
        where="shell",
        summary="Say which nodes a run would execute, why, and about how long they take; nothing runs.",
        details="Times and memory are those of earlier runs. An engine that is not ready yet is not waited for.",
        arguments=(WORKFLOW, PARAMETERS),
        options=(MODE, JSON_REPLY, COMFYUI, NO_START),
        environment=(*START, "COMFYD_MODE"),
        examples=("comfyd plan demo", "comfyd plan demo seed 7 steps 20", "comfyd plan flow.json --json"),
    ),
    Command(
        name="sweep",
        group="Workflows",
        handler="sweep.command:sweep",
        where="shell",
        summary="Run every combination of several values, and draw the pictures as a labelled contact sheet.",
        details=_SWEEP_DETAILS,
        arguments=(WORKFLOW, SWEPT),
        options=(*SWEEP_OPTIONS, COMFYUI, NO_START),
        environment=(*START, "COMFYD_MODE"),
        examples=(
            "comfyd sweep demo seed 1..8 cfg 4,6,8",
            "comfyd sweep flow.png prompt @prompts.txt seed random*4 -o foxes --html",
            "comfyd sweep flow.json denoise 0.5..1:0.1 sampler euler,heun steps 20",
            "comfyd sweep demo --zip seed 1,2,3 steps 10,20,30",
        ),
    ),
    Command(
        name="params",
        group="Workflows",
        handler="workflows:params",
        summary="List the parameters of a workflow with their types, ranges and values.",
        arguments=(WORKFLOW,),
        options=(JSON_REPLY, NO_START),
        environment=START,
    ),
    Command(
        name="nodes",
        group="Workflows",
        handler="nodes:nodes",
        summary="Search the node classes of the engine, or show one with its inputs and outputs.",
        arguments=(
            Argument(
                name="pattern",
                metavar="PATTERN",
                required=False,
                many=True,
                help="words of a class, title, category or pack; * and ? stand for text",
            ),
        ),
        options=(JSON_REPLY, NO_START),
        environment=START,
        examples=("comfyd nodes sampler", "comfyd nodes KSampler"),
    ),
    Command(
        name="convert",
        group="Workflows",
        handler="convert:convert",
        where="shell",
        summary="Print a workflow in API format, with these values, as ComfyUI's editor exports it.",
        details="Model files that are missing are named on stderr. No daemon is needed once its engine has started before.",
        arguments=(WORKFLOW, PARAMETERS),
        options=(
            Option(name="output", flags=("-o", "--output"), metavar="FILE", kind="path", help="write it to this file instead"),
            NO_START,
        ),
        environment=START,
        examples=("comfyd convert flow.json -o api.json", "comfyd convert picture.png seed 7", "comfyd convert flow.json | jq ."),
    ),
    Command(
        name="workflow add",
        group="Workflows",
        handler="stored:add",
        summary="Keep a workflow under a name, by which every command takes it.",
        arguments=(
            WORKFLOW,
            Argument(name="name", metavar="NAME", required=False, help="letters, digits, -, _, + and .; else the file's name"),
        ),
        options=(Option(name="replace", flags=("--replace",), help="replace the one of that name, whose aliases stay"),),
        environment=HOME,
        examples=("comfyd workflow add portrait.png", "comfyd workflow add flow.json portrait", "comfyd run portrait seed 7"),
    ),
    Command(
        name="workflow list",
        group="Workflows",
        handler="stored:list_",
        summary="List the stored workflows.",
        options=(JSON_REPLY,),
        environment=HOME,
    ),
    Command(
        name="workflow show",
        group="Workflows",
        handler="stored:show",
        summary="Say what a stored workflow is, where it came from and which aliases it has.",
        arguments=(STORED,),
        options=(JSON_REPLY,),
        environment=HOME,
    ),
    Command(
        name="workflow path",
        group="Workflows",
        handler="stored:path",
        summary="Print the file in which a stored workflow is kept.",
        arguments=(STORED,),
        environment=HOME,
    ),
    Command(
        name="workflow rm",
        group="Workflows",
        handler="stored:remove",
        summary="Forget stored workflows.",
        arguments=(Argument(name="names", kind="stored", metavar="NAME", many=True, help=STORED.help),),
        environment=HOME,
    ),
    Command(
        name="workflow alias",
        group="Workflows",
        handler="stored:alias",
        summary="Give a parameter of a stored workflow a name of your own.",
        arguments=(
            STORED,
            Argument(name="alias", metavar="ALIAS", help="the name: letters, digits and _"),
            Argument(name="address", kind="parameter", metavar="ADDRESS", help='an alias, NODE_ID.input, or "Node title".input'),
        ),
        environment=HOME,
        examples=("comfyd workflow alias portrait sky 12.text", "comfyd run portrait sky overcast"),
    ),
    Command(
        name="workflow unalias",
        group="Workflows",
        handler="stored:unalias",
        summary="Forget such a name.",
        arguments=(STORED, Argument(name="alias", metavar="ALIAS", help="the name, as comfyd workflow show has it")),
        environment=HOME,
    ),
    Command(
        name="watch",
        group="Jobs",
        handler="jobs:watch",
        summary="Follow a job from any terminal; Ctrl-C only leaves.",
        arguments=(JOB,),
        options=(JSON, *PREVIEWS, NO_START),
        environment=(*START, *PICTURES),
    ),
    Command(
        name="cancel",
        group="Jobs",
        handler="jobs:cancel",
        summary="Cancel queued or running jobs.",
        arguments=(Argument(name="jobs", kind="job", metavar="JOB", many=True, help=JOB.help),),
        options=(JSON_REPLY, NO_START),
        environment=START,
    ),
    Command(
        name="queue",
        group="Jobs",
        handler="jobs:queue",
        summary="List running and queued jobs.",
        options=(JSON_REPLY, NO_START),
        environment=START,
    ),
    Command(
        name="history",
        group="Jobs",
        handler="jobs:history",
        summary="List ended jobs, newest first.",
        options=(
            COUNT,
            Option(name="workflow", flags=("-w", "--workflow"), metavar="NAME", help="only jobs of this workflow"),
            Option(name="failed", flags=("--failed",), help="only jobs that failed"),
            Option(name="since", flags=("--since",), metavar="TIME", help="only jobs that ended since: 30m, 2h, 1d, 2026-11-23"),
            JSON_REPLY,
            NO_START,
        ),
        environment=START,
        examples=("comfyd history --workflow demo --failed --since 2h",),
    ),
    Command(
        name="again",
        group="Jobs",
        handler="again:again",
        where="shell",
        summary="Run an earlier job once more, with the same values or with some of them changed.",
        arguments=(JOB, PARAMETERS),
        options=(*RUN_OPTIONS, NO_START),
        environment=(*START, *PICTURES),
        examples=("comfyd again 12", "comfyd again 12 seed random"),
    ),
    Command(
        name="ps",
        group="Memory",
        handler="memory:ps",
        summary="List what is resident: models and kept results.",
        options=(JSON_REPLY, NO_START),
        environment=START,
    ),
    Command(
        name="unload",
        group="Memory",
        handler="memory:unload",
        summary="Let go of residents by name, or of all of them.",
        arguments=(
            Argument(name="names", kind="resident", metavar="NAME", required=False, many=True, help="a name as ps shows it"),
        ),
        options=(Option(name="everything", flags=("-a", "--all"), help="let go of everything"), JSON_REPLY, NO_START),
        environment=START,
    ),
    Command(
        name="start",
        group="Daemon",
        handler="daemon:start",
        summary="Start the daemon; its engine warms up meanwhile.",
        options=(
            Option(name="foreground", flags=("-f", "--foreground"), help="stay in the foreground, for a service manager"),
            COMFYUI,
            LOG_JSON,
            JSON_REPLY,
        ),
        environment=START,
    ),
    Command(
        name="stop",
        group="Daemon",
        handler="daemon:stop",
        summary="Stop the daemon once its running jobs have ended.",
        options=(
            Option(name="now", flags=("--now",), help="put running jobs back into the queue instead of finishing them"),
            JSON_REPLY,
        ),
        environment=SETTINGS,
    ),
    Command(
        name="restart",
        group="Daemon",
        handler="daemon:restart",
        summary="Stop the daemon and start it again.",
        options=(
            Option(name="now", flags=("--now",), help="put running jobs back into the queue instead of finishing them"),
            COMFYUI,
            LOG_JSON,
            JSON_REPLY,
        ),
        environment=START,
    ),
    Command(
        name="status",
        group="Daemon",
        handler="daemon:status",
        summary="Say how daemon and engine are.",
        options=(JSON_REPLY,),
        environment=SETTINGS,
    ),
    Command(
        name="doctor",
        group="Daemon",
        handler="doctor:doctor",
        summary="Look at everything that a job needs, and say what is wrong and what mends it.",
        options=(JSON_REPLY,),
        environment=START,
        details="The exit status is 1 where something keeps jobs from running.",
    ),
    Command(
        name="logs",
        group="Daemon",
        handler="daemon:logs",
        summary="Print the end of the log of daemon and engine.",
        options=(
            Option(name="follow", flags=("-f", "--follow"), help="go on printing what is added, until Ctrl-C"),
            Option(name="count", flags=("-n", "--lines"), metavar="N", kind="number", default=50, help="how many lines"),
        ),
        environment=HOME,
    ),
    Command(
        name="engine install",
        group="Daemon",
        handler="engine:install",
        summary="Fetch the managed ComfyUI.",
        options=(Option(name="source", flags=("--from",), metavar="SOURCE", help="a git URL instead of the package index"), YES),
        environment=HOME,
    ),
    Command(
        name="engine use",
        group="Daemon",
        handler="engine:use",
        summary="Use a ComfyUI checkout of your own.",
        arguments=(Argument(name="path", kind="path", metavar="PATH", help="the checkout's directory"),),
        options=(YES,),
        environment=SETTINGS,
    ),
    Command(
        name="engine status",
        group="Daemon",
        handler="engine:status",
        summary="Say which ComfyUI is used, and why.",
        options=(JSON_REPLY,),
        environment=SETTINGS,
    ),
    Command(
        name="engine remove",
        group="Daemon",
        handler="engine:remove",
        summary="Remove the managed ComfyUI.",
        options=(YES,),
        environment=HOME,
    ),
    Command(
        name="config show",
        group="Daemon",
        handler="settings:show",
        summary="Print every setting as it is in force, and where it was set.",
        options=(JSON_REPLY,),
        environment=SETTINGS,
    ),
    Command(
        name="config path",
        group="Daemon",
        handler="settings:path",
        summary="Print where the configuration file is.",
        environment=HOME,
    ),
    Command(
        name="config edit",
        group="Daemon",
        handler="settings:edit",
        summary="Open the configuration file, with every setting named in it, in your editor.",
        environment=(*SETTINGS, "VISUAL", "EDITOR"),
        where="shell",
    ),
    Command(
        name="completions install",
        group="Help",
        handler="completions:install",
        summary="Install completion for your shell.",
        arguments=(SHELL_NAME,),
        environment=("SHELL", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"),
        where="shell",
    ),
    Command(
        name="completions uninstall",
        group="Help",
        handler="completions:uninstall",
        summary="Remove it.",
        arguments=(SHELL_NAME,),
        environment=("SHELL", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"),
        where="shell",
    ),
    Command(
        name="completions show",
        group="Help",
        handler="completions:show",
        summary="Print the script that install would write.",
        arguments=(SHELL_NAME,),
        environment=("SHELL",),
        where="shell",
    ),
    Command(
        name="service install",
        group="Daemon",
        handler="service:install",
        summary="Let the service manager keep the daemon running, from now on and at every login.",
        environment=(*START, "PATH", "CUDA_VISIBLE_DEVICES"),
        where="shell",
    ),
    Command(
        name="service uninstall",
        group="Daemon",
        handler="service:uninstall",
        summary="Stop the service once its running jobs have ended, and remove it.",
        environment=("XDG_CONFIG_HOME",),
        where="shell",
    ),
    Command(
        name="service print",
        group="Daemon",
        handler="service:print_",
        summary="Print the systemd unit (on macOS the launchd property list) that install would write.",
        environment=(*START, "PATH", "CUDA_VISIBLE_DEVICES"),
        where="shell",
    ),
    Command(
        name="run",
        group="Values",
        handler="prompt.running:run",
        where="repl",
        summary="Run with these values, which stay; so do a line of NAME VALUE pairs without run, and an empty line.",
        arguments=(PARAMETERS,),
        options=RUN_OPTIONS,
    ),
    Command(
        name="again",
        group="Values",
        handler="prompt.running:again",
        where="repl",
        summary="Run the last job, or that of this number, once more as it was, or with other values for this once.",
        arguments=(OPTIONAL_JOB, PARAMETERS),
        options=RUN_OPTIONS,
        examples=("again", "again 12 seed random"),
    ),
    Command(
        name="more",
        group="Values",
        handler="prompt.running:more",
        where="repl",
        summary="Run as often as this with other seeds, by default once; the values stay.",
        arguments=(
            Argument(name="count", kind="number", metavar="N", required=False, help="how many, up to 1000"),
            PARAMETERS,
        ),
        options=(JSON, QUIET, MODE),
        examples=("more", "more 4"),
    ),
    Command(
        name="plan",
        group="Values",
        handler="plan:in_session",
        where="repl",
        summary="Say what run would do with these values, why, and how long it takes; the values do not stay.",
        arguments=(PARAMETERS,),
        options=(MODE, JSON_REPLY),
    ),
    Command(
        name="sweep",
        group="Values",
        handler="sweep.command:in_session",
        where="repl",
        summary="Run every combination of several values of this workflow; the values do not stay.",
        details=_SWEEP_DETAILS,
        arguments=(SWEPT,),
        options=SWEEP_OPTIONS,
        examples=("sweep seed 1..8 cfg 4,6,8", "sweep prompt @prompts.txt seed random*4 --html"),
    ),
    Command(
        name="show",
        group="Values",
        handler="prompt.values:show",
        where="repl",
        summary="Show the workflow's parameters with their values, those that were set marked with *.",
        options=(JSON_REPLY,),
    ),
    Command(
        name="diff",
        group="Values",
        handler="prompt.values:diff",
        where="repl",
        summary="Show the values that were set beside the workflow's own.",
        options=(JSON_REPLY,),
    ),
    Command(
        name="set",
        group="Values",
        handler="prompt.values:set_",
        where="repl",
        summary="Set values without running.",
        arguments=(PARAMETERS,),
    ),
    Command(
        name="unset",
        group="Values",
        handler="prompt.values:unset",
        where="repl",
        summary="Go back to the workflow's own value of these parameters.",
        arguments=(Argument(name="names", kind="set", metavar="NAME", many=True, help="a parameter that was set"),),
    ),
    Command(
        name="reset",
        group="Values",
        handler="prompt.values:reset",
        where="repl",
        summary="Go back to the workflow's own values, all of them or those named.",
        arguments=(
            Argument(name="names", kind="set", metavar="NAME", required=False, many=True, help="a parameter that was set"),
        ),
    ),
    Command(
        name="use",
        group="Values",
        handler="prompt.sources:use",
        where="repl",
        summary="Go on with another workflow.",
        arguments=(Argument(name="workflow", kind="workflow", metavar="WORKFLOW", help=_WORKFLOW_HELP),),
    ),
    Command(
        name="save",
        group="Values",
        handler="prompt.sources:save",
        where="repl",
        summary="Store the workflow with the values set under a name, by which every command takes it.",
        arguments=(Argument(name="name", metavar="NAME", help="letters, digits, -, _, + and ."),),
        options=(Option(name="replace", flags=("--replace",), help="replace the one of that name"),),
    ),
    Command(
        name="fetch",
        group="Values",
        handler="prompt.sources:fetch",
        where="repl",
        summary="Put the values of a picture onto the line, with its workflow where that is another one.",
        arguments=(Argument(name="file", kind="picture", metavar="IMAGE", help="a picture, video or sound that ComfyUI saved"),),
    ),
    Command(
        name="open",
        group="Values",
        handler="prompt.pictures:open_",
        where="repl",
        summary="Open the last picture, or a file, in the desktop's viewer.",
        arguments=(Argument(name="file", kind="path", metavar="FILE", required=False, help="another file"),),
    ),
    Command(
        name="every",
        group="Help",
        handler="prompt.repeating:every",
        where="repl",
        summary="Repeat a command after so many seconds each time, until Ctrl-C.",
        arguments=(
            Argument(name="seconds", metavar="SECONDS", help="the pause between two"),
            Argument(name="line", kind="line", metavar="COMMAND", many=True, help="the command with all that belongs to it"),
        ),
        examples=("every 2 ps", "every 60 seed random"),
    ),
    Command(
        name="source",
        group="Help",
        handler="prompt.script:source",
        where="repl",
        summary="Run the lines of a file as if they were typed, up to the first that fails.",
        details=_SCRIPT,
        arguments=(SCRIPT,),
        options=(KEEP_GOING, JSON_LINES),
    ),
    Command(
        name="source",
        group="Workflows",
        handler="prompt.script:from_shell",
        where="shell",
        summary="Run a script: lines as they are typed at the prompt comfy>, up to the first that fails.",
        details=_SCRIPT,
        arguments=(SCRIPT,),
        options=(
            Option(
                name="workflow",
                flags=("-w", "--workflow"),
                metavar="WORKFLOW",
                kind="workflow",
                help="the workflow to begin with; default: demo",
            ),
            KEEP_GOING,
            JSON_LINES,
            MODE,
            COMFYUI,
            NO_START,
        ),
        environment=(*START, "COMFYD_MODE"),
        examples=(
            "comfyd source night.comfy",
            "comfyd source night.comfy --workflow portrait --json",
            "comfyd source - < night.comfy",
        ),
    ),
    Command(
        name="schema",
        group="Help",
        handler="schema:schema",
        where="shell",
        summary="Print the JSON Schema of what commands print with --json.",
        details="Each line is one object, whose type says which it is; of several lines the last is the result.",
        environment=HOME,
    ),
    Command(name="exit", group="Help", handler="prompt.session:leave", where="repl", summary="Leave; so do quit and Ctrl-D."),
    Command(name="quit", group="Help", handler="prompt.session:leave", where="repl", summary="Leave."),
    Command(
        name="help",
        group="Help",
        handler="help:help_",
        where="shell",
        summary="Explain a command.",
        arguments=(
            Argument(name="command", kind="command", metavar="COMMAND", required=False, many=True, help="a command's name"),
        ),
    ),
    Command(
        name="help",
        group="Help",
        handler="prompt.explain:help_",
        where="repl",
        summary="Explain a command or a parameter.",
        arguments=(
            Argument(
                name="topic",
                kind="topic",
                metavar="COMMAND|PARAMETER",
                required=False,
                many=True,
                help="a command's or a parameter's name",
            ),
        ),
    ),
)

HELP = Option(name="help", flags=("-h", "--help"), help="print this help")
ROOT_OPTIONS = (Option(name="version", flags=("--version",), help="print the version"), HELP)


SHELL = tuple(command for command in TABLE if command.where != "repl")
REPL = tuple(command for command in TABLE if command.where != "shell")


def first_words(commands: Sequence[Command]) -> list[str]:
    """The words a line may begin with."""
    return list(dict.fromkeys(command.name.split()[0] for command in commands))
