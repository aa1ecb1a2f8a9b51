"""``--reckless``, which may stand alone, as in DataLad: then it means ``auto``."""

import click

from engram.cli.root import Verb

_DOCUMENTED = ("auto", "ephemeral")


class Reckless(Verb):
    """A command that clones: a word that follows ``--reckless`` and is no mode is the command's own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        following = [*args, ""][1:]
        return super().parse_args(
            ctx,
            [
                "--reckless=auto" if word == "--reckless" and not _is_mode(following[place]) else word
                for place, word in enumerate(args)
            ],
        )


def _is_mode(word: str) -> bool:
    return word in _DOCUMENTED or word.startswith("shared-")
