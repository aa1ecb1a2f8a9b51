"""git's files, read and written as bytes: objects, packs, index, refs, config, ignore and attribute rules.

Nothing here starts git. A path is `bytes` everywhere: git knows no encoding, and neither does a disk.
What is broken raises `engram.model.errors.DamagedRepository`; what is merely unknown raises
`engram.datasets.git.problems.NotUnderstood`, so that the caller can leave the work to git itself.
"""
