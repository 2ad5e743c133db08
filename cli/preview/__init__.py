"""Pictures in the terminal: how (kinds.py), how large (room.py), and the escape sequences of each kind."""
