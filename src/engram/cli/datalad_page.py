"""The page for those who know DataLad: what is equal, and what differs on purpose. A test proves each line."""

from engram.cli.topic import Section, Topic

EQUAL = (
    ("datasets", "The same ones. Both tools may work on one, one after the other or side by side."),
    ("commands", "create save status diff clone get drop remove unlock run rerun subdatasets siblings configuration"
     " run-procedure clean wtf: DataLad's names, options, defaults."),
    ("records", "-f json (or --json): DataLad's fields and values; action, status, path, type, state, key, …"),
    ("run records", "datalad rerun repeats what engram run recorded, and the other way round."),
    ("paths", "sub/ is what is in a subdataset; -d ^ is the topmost dataset; -r, -R go into subdatasets."),
)  # fmt: skip
DIFFERENT = (
    ("key backend", "New datasets name contents by SHA256E (faster); a subdataset as its parent does. See --backend."),
    ("wrong paths", "One that matches nothing refuses the whole request (2); DataLad says nothing, and 0."),
    ("exit codes", "Some items failed: 3 (DataLad: 1). The others: engram help exit-codes"),
    ("options", "--json, -q and --yes stand before or after the command; create DIR -c PROC is fine."),
    ("one line", "engram run 'a; b' and engram run -- 'a; b' mean the same: a line for the shell."),
    ("trust", "Commands of others (run records, procedures, hooks, .git/config) run only after engram trust."),
    ("both keep", "Two run --explicit at once in one dataset both keep their records."),
    ("drop", "A copy on this machine counts when it was looked at and locked; any other is git-annex's to prove."),
    ("handed over", "What engram does not fully know git-annex does; the record's note says so, and why."),
    ("modes", "A changed executable bit is a difference; diff of DataLad passes it over."),
)
MISSING = (
    ("datalad's", "push update addurls download-url copy-file foreach-dataset export-archive create-sibling-ria:"
     " use them on the same dataset."),
    ("words", "siblings only lists; a command or an option that is missing tells what to type instead."),
)  # fmt: skip
NEW = (
    ("instead of git annex", "whereis numcopies unused dropunused fsck"),
    ("figures", "history PATH: which command, inputs and parameters made each version of a file."),
    ("plans", "--dry-run shows one, -o keeps it, carry-out does it."),
)


def datalad_page() -> Topic:
    """What a DataLad user has to know, on one screen."""
    return Topic(
        title="Coming from DataLad",
        sections=(
            Section(title="Equal", rows=EQUAL),
            Section(title="Different", rows=DIFFERENT),
            Section(title="Not here", rows=MISSING),
            Section(title="New", rows=NEW),
        ),
    )
