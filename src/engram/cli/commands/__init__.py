"""Keep the chain of custody of neuroscience data, from the rig to the published result.

Datasets are DataLad datasets: what engram saves, datalad and git-annex read, and the other way round.

    engram create DIR          start a dataset
    engram save -m "why"       record what has changed
    engram status              see what would be recorded

Each command tells more: engram COMMAND --help. Topics: engram help.
"""
