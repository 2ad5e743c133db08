"""The prompt ``comfy> ``: a session on one workflow, its commands, and what is typed, shown and completed around them.

``session`` and the commands know nothing of a keyboard, so that a script is the same language. Of this package alone
``keys``, ``lexer``, ``looks``, ``proposals`` and ``reader`` import prompt-toolkit, and nothing else does.
"""
