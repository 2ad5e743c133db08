"""What a run would do, why, and what it is likely to cost."""
