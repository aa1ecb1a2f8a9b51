"""Show the settings that hold, and where each came from."""
