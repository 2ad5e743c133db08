"""comfyd: a resident daemon for ComfyUI workflows; this module holds the version only, so that importing it costs nothing."""

__version__ = "0.1.0"
