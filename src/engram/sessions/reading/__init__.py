"""Cheap readers of what rigs write: headers only, standard library only, bounded in all they do."""
