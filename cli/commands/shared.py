"""What several commands share: their arguments and options, and the variables that they read."""

from comfyd.modes import MODES

from ..spec import Argument, Option

WORKFLOW_HELP = "a file (JSON, or a picture, video or sound that ComfyUI saved), a stored or a built-in name (demo)"
WORKFLOW = Argument(name="workflow", kind="workflow", metavar="WORKFLOW", help=WORKFLOW_HELP + ", or - for stdin")
PARAMETERS = Argument(
    name="words",
    kind="parameters",
    metavar="NAME VALUE",
    required=False,
    many=True,
    help='values for this run: an alias (seed 42), NODE_ID.input, or "Node title".input; a text needs no quotes',
)
JSON = Option(name="json", flags=("--json",), help="print NDJSON; the last line is the result")
JSON_REPLY = Option(name="json", flags=("--json",), help="print one line of JSON")
SCRIPT = Argument(name="file", kind="path", metavar="FILE", help="the script, or - for stdin")
SCRIPT_DETAILS = (
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
    QUIET,
    MODE,
    Option(name="detach", flags=("-d", "--detach"), help="hand in all jobs and leave; the same command later collects them"),
    YES,
)
SWEEP_DETAILS = (
    "Pictures are named by their values, seed=1,cfg=4.png. The same command again runs only what is missing. "
    "What is upstream changes least. Several texts: @FILE, or a JSON array. Ctrl-C cancels what is left."
)
