"""The documentation is true: every block runs, every link leads somewhere, every page is on a list."""

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks_of, headings_of, links_of, page_name

#: What a block may be. ``text`` is output that belongs to no command, ``{toctree}`` a list of pages.
_KNOWN = {"console", "json", "python", "sh", "text", "toml", "{toctree}"}
_ENGRAM = """#!{python}
import sys
from engram.cli.main import main
sys.exit(main())
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to type in, a home with a git identity and a clone of engram, and an `engram` on PATH."""
    for name in ("bin", "home", "here"):
        (tmp_path / name).mkdir()
    program = tmp_path / "bin" / "engram"
    program.write_text(_ENGRAM.format(python=sys.executable))
    program.chmod(0o755)
    (tmp_path / "home" / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    (tmp_path / "home" / "engram").symlink_to(ROOT)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ENGRAM_UI_PROGRESS", "off")  # on a reader's terminal it is gone when a command has ended
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_block_of_a_page_runs(page: Path, shell: Path, git_annex: Path) -> None:
    typing = Typing(folder=shell)
    for block in blocks_of(page):
        assert block.language in _KNOWN, f"line {block.line}: a block of what language? ({sorted(_KNOWN)})"
        if not block.not_run and _has(block.needs):
            typing.run(block)


def _has(program: str) -> bool:
    """Whether a program that a block needs is there; where everything should be, it is."""
    return not program or shutil.which(program) is not None or os.environ.get("ENGRAM_ALL_SERVICES") == "1"


class Typing:
    """One reader who types a page from top to bottom."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ending = folder.parent / "folder"
        self.names: dict[str, object] = {"__name__": "page"}

    def run(self, block: Block) -> None:
        match block.language:
            case "console":
                self.console(block)
            case "sh":
                self.expect(block, block.text, "", 0, whatever=True)
            case "python":
                os.chdir(self.folder)
                exec(compile(block.text, f"line {block.line}", "exec"), self.names)
            case "toml":
                tomllib.loads(block.text)
            case "json":
                for line in [block.text] if block.text.startswith(("{\n", "[")) else block.text.splitlines():
                    json.loads(line)

    def console(self, block: Block) -> None:
        """``$ command``, its output below it; ``> `` goes on with the command, ``...`` stands for any output."""
        parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
        assert not parts[0].strip(), f"line {block.line}: output before the first command"
        for part in parts[1:]:
            lines = part.splitlines()
            more = next((n for n, line in enumerate(lines[1:], start=1) if not line.startswith("> ")), len(lines))
            command = "\n".join([lines[0], *(line[2:] for line in lines[1:more])])
            code = block.exit_code if part is parts[-1] else 0
            self.expect(block, command, "\n".join(lines[more:]), code)

    def expect(self, block: Block, command: str, output: str, code: int, *, whatever: bool = False) -> None:
        ending = self._ending
        script = f"{command}\ncode=$?; pwd >'{ending}'; exit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.folder = Path(ending.read_text().rstrip("\n"))
        place = f"line {block.line}: {command}"
        assert done.returncode == code, f"{place}\nended with {done.returncode}:\n{done.stdout}"
        assert whatever or _alike(output, done.stdout), f"{place}\nprinted\n{done.stdout}\ninstead of\n{output}"


def _alike(wanted: str, got: str) -> bool:
    """Equal, but for ``...``, which stands for anything, and spaces at the ends of lines."""
    wanted, got = ("\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n" for text in (wanted, got))
    flags = doctest.ELLIPSIS | doctest.DONT_ACCEPT_BLANKLINE
    return doctest.OutputChecker().check_output(wanted, got, flags)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links_of(page):
        if re.match(r"[a-z]+:", link):
            assert link.startswith(("https://", "mailto:")), link
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in set(headings_of(target)), f"{link}: no such heading"


def test_every_page_can_be_reached_from_the_first() -> None:
    seen, ahead = set(), [ROOT / "docs" / "index.md"]
    while ahead:
        page = ahead.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = [*links_of(page), *_listed(page)]
        ahead += [
            target for link in targets if (target := (page.parent / link.split("#")[0]).resolve()).suffix == ".md"
        ]
    lost = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - seen
    assert not lost, f"no page leads to {sorted(map(page_name, lost))}"


def _listed(page: Path) -> list[str]:
    """What a page's ``{toctree}`` lists."""
    found = re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [f"{line}.md" for block in found for line in block.splitlines() if line and not line.startswith(":")]


def test_the_readme_leads_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    demo, test, install = (text.find(words) for words in ("./dev demo", "./dev test", "pip install"))
    assert 0 < demo < test < install < text.rfind("```console")


@pytest.mark.parametrize(
    ("wanted", "got", "alike"),
    [
        ("save(ok): . (dataset)", "save(ok): . (dataset)\n", True),
        ("took ... s", "took 0.25 s\n", True),
        ("first\n...\nlast", "first\nsecond\nlast\n", True),
        ("", "surprise\n", False),
        ("save(ok)", "save(error)\n", False),
    ],
)
def test_output_is_compared_loosely_but_compared(wanted: str, got: str, alike: bool) -> None:
    assert _alike(wanted, got) is alike
