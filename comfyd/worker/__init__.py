"""The GPU process that hosts ComfyUI; the only part of comfyd that imports torch and the engine."""
