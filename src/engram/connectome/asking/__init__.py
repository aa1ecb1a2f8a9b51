"""Questions to a finished snapshot: its tables as SQL sees them, and what changed between two."""
