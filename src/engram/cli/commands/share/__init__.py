"""Name the places that rigs write to."""
