"""The command sweep: every combination of some values as jobs, their pictures side by side, resumed where it was left."""
