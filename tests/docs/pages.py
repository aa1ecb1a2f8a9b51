"""The pages of the documentation, their code blocks and their links."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced piece of code, and what the comment right before it says about it."""

    language: str
    text: str
    line: int
    #: From ``<!-- not run: REASON -->``.
    not_run: str = ""
    #: From ``<!-- ends with 2 -->``: the exit code of the block's last command.
    exit_code: int = 0
    #: From ``<!-- needs datalad -->``: the program without which the block is passed over.
    needs: str = ""


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def tokens_of(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text())


def blocks_of(page: Path) -> Iterator[Block]:
    before = ""
    for token in tokens_of(page):
        if token.type == "fence":
            line = token.map[0] + 1 if token.map else 0
            said = _said(before)
            yield Block(
                language=token.info.strip(),
                text=token.content,
                line=line,
                not_run=said.get("not run:", ""),
                exit_code=int(said.get("ends with", "0")),
                needs=said.get("needs", ""),
            )
        before = token.content if token.type == "html_block" else ""


def _said(comment: str) -> dict[str, str]:
    said = comment.strip().removeprefix("<!--").removesuffix("-->").strip()
    words = ("not run:", "ends with", "needs")
    return {word: said.removeprefix(word).strip() for word in words if said.startswith(f"{word} ")}


def links_of(page: Path) -> Iterator[str]:
    """Where links and images of a page lead, as they are written."""
    for token in tokens_of(page):
        for child in token.children or []:
            target = child.attrs.get("href") or child.attrs.get("src")
            if target:
                yield str(target)


def headings_of(page: Path) -> Iterator[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    tokens = tokens_of(page)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(child.content for child in inline.children or [])
            kept = "".join(letter for letter in text.lower() if letter.isalnum() or letter in " -_")
            yield kept.replace(" ", "-")
