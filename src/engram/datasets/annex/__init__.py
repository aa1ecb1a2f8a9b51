"""git-annex's formats: keys, pointers, logs, its branch, its object store."""

#: Where git-annex keeps who holds which content.
BRANCH = "refs/heads/git-annex"
