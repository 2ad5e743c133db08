"""What an input takes: constants, text that was typed, choices within a prompt."""
