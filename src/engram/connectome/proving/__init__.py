"""Whether a finished snapshot is what was built, and whether its files agree with each other."""
