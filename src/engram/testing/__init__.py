"""What this house tests itself with, shipped so that authors of plugins can do the same.

=====================  ==============================================================================
`faults`               end the world, or make the disk fail, at the *k*-th durable step
`processes`            kill, interrupt and pause a whole command at random times
`disks`                disks of our own: full ones, small ones, ones whose plug is pulled (needs root)
`syscalls`             make the *k*-th system call of a command fail (needs strace)
`soundness`            is every byte still there, is git content, is nothing left behind?
`trees`                folders with every name, link, size and kind of file that has broken a tool
`shares`               files of rigs that fit together; disks that are slow, die or never answer
`troubled_share`       a recording share in every trouble that a lab's shares get into
`sessions_on_disk`     a large folder with the names that neuroscientists give to files
`changing`             random folders and random changes, with a model of what must be there
`malice`               repositories that try to run something
`escapes`              repositories that reach outside of themselves
`canary`               what dies when one of those succeeds
`places`               folders in memory, copies of a prepared folder, what lies in one
=====================  ==============================================================================

`changing` needs hypothesis; all else needs the standard library, git, and what is said there.
"""
