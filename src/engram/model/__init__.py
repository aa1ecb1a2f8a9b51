"""The nouns: keys, outcomes, plans, errors. Standard library only."""
