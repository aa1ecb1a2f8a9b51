"""Versioned datasets: the only room that runs git and git-annex."""
