"""What this house tests itself with, shipped so that authors of plugins can do the same.

=====================  ==============================================================================
`faults`               end the world, or make the disk fail, at the *k*-th durable step
`processes`            kill, interrupt and pause a whole command at random times
`disks`                disks of our own: full ones, small ones, ones whose plug is pulled (needs root)
`syscalls`             make the *k*-th system call of a command fail (needs strace)
`trees`                folders with every name, link and size that has broken a tool before
`sessions_on_disk`     a large folder with the names that neuroscientists give to files
`changing`             random folders and random changes, with a model of what must be there
`malice`               repositories that try to run something, or to reach outside
=====================  ==============================================================================
"""
