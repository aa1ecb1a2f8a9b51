"""The bench: engram and its peers do the same work, side by side, in one run.

One module per room says what is done (`bench.datasets`); `bench.harness` is the one that measures, for all of them.
"""
