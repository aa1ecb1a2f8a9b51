"""``python -m engram.cli.reference DIR``: the reference, made from the code. With ``--check`` it is only compared."""

import os
import sys
from collections.abc import Mapping, Sequence

import click

from engram.cli.call import Call
from engram.cli.catalogue_page import pictures
from engram.cli.pages import command_markdown, commands, options_markdown, python_markdown, topic_markdown
from engram.cli.render import Screen
from engram.cli.root import build
from engram.cli.topics import TOPICS
from engram.durable import Steps, make_folders, remove, replace

_INDEX = """# Reference

All of this is made from the code (`python -m engram.cli.reference docs/reference`), so it cannot drift from it: a test
compares them.

```{{toctree}}
:maxdepth: 1

{pages}
```
"""


def reference() -> dict[str, str]:
    """Every page of the reference by its path."""
    root, context = root_context()
    pages = {"options.md": options_markdown(context)}
    for name, command, below in commands(root, context):
        pages[f"commands/{name.replace(' ', '-')}.md"] = command_markdown(name, command, below)
    for name, (_, topic) in TOPICS.items():
        pages[f"{name}.md"] = topic_markdown(topic())
    pages["python.md"] = python_markdown()
    listed = "\n".join(path.removesuffix(".md") for path in pages)
    return {"index.md": _INDEX.format(pages=listed), **pages, **pictures()}


def root_context() -> tuple[click.Command, click.Context]:
    """The whole command line, and a context to ask it with."""
    root = build()
    call = Call(screen=Screen(sys.stdout, sys.stderr, {}), environment={}, folder="/")
    return root, click.Context(root, info_name="engram", obj=call, terminal_width=100)


def differences(folder: str, pages: Mapping[str, str]) -> list[str]:
    """The paths that *folder* lacks, holds in another state, or holds although they are not made any more."""
    stale = [path for path, text in pages.items() if _read(os.path.join(folder, path)) != text]
    return sorted([*stale, *_left_over(folder, pages)])


def _left_over(folder: str, pages: Mapping[str, str]) -> list[str]:
    found = []
    for place, _, files in os.walk(folder):
        paths = (os.path.relpath(os.path.join(place, file), folder) for file in files if file.endswith((".md", ".svg")))
        found += [path for path in paths if path not in pages]
    return found


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def main(words: Sequence[str]) -> int:
    """Write the reference into a folder, or with ``--check`` say what of it is out of date."""
    (folder,) = [word for word in words if word != "--check"]
    pages = reference()
    screen = Screen(sys.stdout, sys.stderr, {})
    stale = differences(folder, pages)
    if "--check" in words:
        for path in stale:
            screen.message(f"{os.path.join(folder, path)} is out of date: python -m engram.cli.reference {folder}")
        return 1 if stale else 0
    for path in stale:
        place = os.path.join(folder, path)
        if path in pages:
            make_folders(Steps(), os.path.dirname(place))
            replace(Steps(), place, pages[path].encode())
        else:
            remove(Steps(), place)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
