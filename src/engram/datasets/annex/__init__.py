"""git-annex's formats: keys, pointers, logs, its branch, its object store."""
