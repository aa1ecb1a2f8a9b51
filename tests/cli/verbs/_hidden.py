"""No command: its name begins with a line."""
