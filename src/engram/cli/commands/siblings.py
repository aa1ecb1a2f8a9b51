"""List the siblings of a dataset: where else it is.

One line for the dataset itself (here) and for each sibling: (+) has an annex, (-) is to be left alone by git-annex, of
(?) nobody knows. Nothing is asked over the network.

    engram siblings
    engram siblings -s origin
    engram siblings -r                    also those of subdatasets
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.render import relative_path
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Outcome
from engram.workspace.cloning import Copies

_ACTIONS = ("query", "add", "remove", "configure", "enable")


@click.command(cls=Verb, help=__doc__)
@click.argument("action", metavar="[query]", type=click.Choice(_ACTIONS), default="query")
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("-s", "--name", metavar="NAME", help="Only this one; 'here' is the dataset itself.")
@click.option("--annex-info/--no-annex-info", default=True, help="Also what git-annex noted about each (default).")
@options.recursion
@click.pass_obj
def command(
    call: Call,
    *,
    action: str,
    dataset: str | None,
    name: str | None,
    annex_info: bool,
    recursive: bool,
    recursion_limit: int | None,
) -> None:
    if action != "query":
        raise UsageError(f"engram does not {action} siblings yet.", f"Use: datalad siblings {action} …, or git remote")
    outcomes = call.open(Copies).siblings(
        dataset=dataset, name=name, annex_info=annex_info, recursive=recursive, recursion_limit=recursion_limit
    )
    call.show(outcomes, view=SiblingView(), reads_only=True)


class SiblingView:
    """Lines as ``.: origin(+) [../source (git)]``."""

    def line(self, outcome: Outcome, colours: bool) -> str | None:  # noqa: ARG002  # these lines have none
        if outcome.failed or not isinstance(outcome, DatasetOutcome):
            return None
        known = dict(outcome.extra)
        mark = "+" if known.get("annex-uuid") else "-" if known.get("annex-ignore") in (True, "true") else "?"
        kind = str(known.get("annex-externaltype") or "git")
        urls = known.get("url") or ()
        url = " ".join(urls) if isinstance(urls, tuple) else str(urls)
        address = f"{url} ({kind})" if url else kind
        path = relative_path(outcome.path, outcome.refds)
        return f"{printable(path)}: {printable(str(known['name']))}({mark}) [{printable(address)}]"

    def summary(self) -> Iterable[str]:
        return ()
