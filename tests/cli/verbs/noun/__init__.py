"""A noun that has verbs of its own."""
