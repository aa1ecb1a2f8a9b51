"""whereis, numcopies, unused, dropunused and fsck, held against git-annex on the same trees, in both directions."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engram.testing.places import Template
from engram.workspace.auditing import Custody
from engram.workspace.context import Context
from tests.integration.clones import FILES, connect, delete, fresh, key_of, object_of, rewrite, two_clones, uuid_of
from tests.interop.peers import annex, git, save, write

pytestmark = pytest.mark.integration

ELSEWHERE = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def template(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = two_clones(tmp_path_factory.mktemp("pair"))
    return Template(folder, tmp_path_factory.mktemp("copies"))


@pytest.fixture
def pair(template: Template) -> Path:
    """A folder with datasets ``a`` and ``b``, siblings that both hold everything."""
    return fresh(template)


@pytest.fixture
def dataset(pair: Path) -> Path:
    return pair / "a"


def custody(folder: Path, configuration: tuple[str, ...] = ()) -> Custody:
    return Custody(Context(folder=str(folder), environment=dict(os.environ), git_configuration=configuration))


def told(folder: Path, verb: str, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
    """The records of engram's verb."""
    return [outcome.as_json() for outcome in getattr(custody(folder), verb)(*arguments, **options)]


def lines(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The records of git-annex's verb."""
    out = annex(folder, *words, "--json", "--json-error-messages", fine=(0, 1))
    return [json.loads(line) for line in out.splitlines()]


# --- whereis


def same_copies(dataset: Path) -> None:
    """Both tell the same copies of every file."""
    ours = {
        record["item"]: (
            record["status"] == "ok",
            {copy["uuid"] for copy in record["copies"] if copy["trust"] in ("trusted", "semitrusted")},
            {copy["uuid"] for copy in record["copies"] if copy["trust"] == "untrusted"},
            {(copy["uuid"], url) for copy in record["copies"] for url in copy["urls"]},
        )
        for record in told(dataset, "whereis")
        if record["status"] != "notneeded"
    }
    theirs = {
        record["file"]: (
            record["success"],
            {copy["uuid"] for copy in record["whereis"]},
            {copy["uuid"] for copy in record["untrusted"]},
            {(copy["uuid"], url) for copy in (*record["whereis"], *record["untrusted"]) for url in copy["urls"]},
        )
        for record in lines(dataset, "whereis")
    }
    assert ours == theirs


def test_whereis_tells_the_copies_git_annex_tells(dataset: Path) -> None:
    same_copies(dataset)
    here = [copy for record in told(dataset, "whereis") for copy in record["copies"] if copy["here"]]
    assert {copy["uuid"] for copy in here} == {uuid_of(dataset)}


@pytest.mark.parametrize("level", ["trust", "untrust", "dead", "semitrust"])
def test_whereis_counts_copies_by_trust_as_git_annex_does(dataset: Path, level: str) -> None:
    annex(dataset, level, "b", "--force")
    same_copies(dataset)
    annex(dataset, level, "here", "--force")
    same_copies(dataset)
    assert {copy["trust"] for record in told(dataset, "whereis") for copy in record["copies"]} == {
        {"trust": "trusted", "untrust": "untrusted", "dead": "dead", "semitrust": "semitrusted"}[level]
    }


def test_whereis_knows_addresses_journals_and_what_was_fetched_and_not_merged(pair: Path) -> None:
    dataset, key = pair / "a", key_of(pair / "a", "a.dat").decode()
    annex(dataset, "registerurl", key, "http://127.0.0.1:9/a.dat")
    annex(dataset, "registerurl", key, "http://127.0.0.1:9/again.dat")
    annex(dataset, "unregisterurl", key, "http://127.0.0.1:9/again.dat")
    git(dataset, "-c", "annex.alwayscommit=false", "annex", "setpresentkey", key, ELSEWHERE, "1")
    assert list((dataset / ".git/annex/journal").iterdir())
    annex(pair / "b", "drop", "--force", "-q", "d/e/c.dat")
    git(dataset, "fetch", "-q", "--all")
    [record] = told(dataset, "whereis", ["d/e/c.dat"])
    assert [copy["here"] for copy in record["copies"]] == [True]
    same_copies(dataset)


def test_a_file_nobody_has_is_an_error_as_for_git_annex(dataset: Path) -> None:
    annex(dataset, "drop", "--force", "-q", "d/e/c.dat")
    annex(dataset, "setpresentkey", key_of(dataset, "d/e/c.dat").decode(), uuid_of(dataset.parent / "b"), "0")
    same_copies(dataset)
    [record] = told(dataset, "whereis", ["d/e/c.dat"])
    assert (record["status"], record["error"], record["copies"]) == ("error", "NoCopy", [])
    assert record["remedy"]


def test_whereis_of_keys_tells_what_git_annex_tells_of_all(dataset: Path) -> None:
    git(dataset, "rm", "-q", "a.dat")
    save(dataset, message="one less")
    key = key_of(dataset, "d/e/c.dat").decode()
    annex(dataset, "drop", "--force", "-q", "d/e/c.dat")
    annex(dataset, "setpresentkey", key, uuid_of(dataset.parent / "b"), "0")
    annex(dataset, "dead", "--key", key)
    ours = {record["key"]: len(record["copies"]) for record in told(dataset, "whereis", all_keys=True)}
    theirs = {record["key"]: len(record["whereis"]) for record in lines(dataset, "whereis", "--all")}
    assert ours == theirs


def test_whereis_describes_repositories_as_git_annex_does(dataset: Path) -> None:
    annex(dataset, "describe", "b", "the archive in the cellar")
    [record] = told(dataset, "whereis", ["a.dat"])
    assert {(copy["description"], copy["remote"]) for copy in record["copies"] if not copy["here"]} == {
        ("the archive in the cellar", "b")
    }
    [theirs] = lines(dataset, "whereis", "a.dat")
    assert "the archive in the cellar [b]" in {copy["description"] for copy in theirs["whereis"]}


# --- numcopies


def test_git_annex_reads_the_number_that_engram_sets(dataset: Path) -> None:
    [record] = told(dataset, "numcopies", 3)
    assert (record["status"], record["numcopies"], record["numcopies_source"]) == ("ok", 3, "numcopies.log")
    assert annex(dataset, "numcopies").strip() == "3"
    assert told(dataset, "numcopies", 3)[0]["status"] == "notneeded"


def test_engram_reads_the_number_that_git_annex_sets(dataset: Path) -> None:
    assert told(dataset, "numcopies")[0]["numcopies_source"] == "default"
    annex(dataset, "numcopies", "4")
    annex(dataset, "mincopies", "2")
    [record] = told(dataset, "numcopies")
    assert (record["numcopies"], record["mincopies"], record["mincopies_source"]) == (4, 2, "mincopies.log")
    told(dataset, "numcopies", 2)  # newer than theirs, even within one second
    assert annex(dataset, "numcopies").strip() == "2"


# --- unused


def theirs_unused(dataset: Path, *options: str) -> dict[str, set[str]]:
    [record] = lines(dataset, "unused", *options)
    return {kind: set(record[f"{kind}-list"].values()) for kind in ("unused", "bad", "tmp")}


def ours_unused(dataset: Path, **options: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"unused": set(), "bad": set(), "tmp": set()}
    for record in told(dataset, "unused", **options):
        if "number" in record:
            found[record["kind"]].add(record["key"])
    return found


def replaced(dataset: Path) -> str:
    """Save another version of a file; the key of the old one."""
    key = key_of(dataset, "d/b.dat").decode()
    (dataset / "d/b.dat").unlink()
    write(dataset, "d/b.dat", "another version")
    save(dataset, message="another version")
    return key


REFS = {
    "a branch": ("update-ref", "refs/heads/old", "HEAD~1"),
    "a tag": ("tag", "old", "HEAD~1"),
    "an annotated tag": ("tag", "-a", "-m", "old", "old", "HEAD~1"),
    "a branch of a sibling": ("update-ref", "refs/remotes/far/main", "HEAD~1"),
    "any other ref": ("update-ref", "refs/other/old", "HEAD~1"),
    "a stash": ("update-ref", "refs/stash", "HEAD~1"),
    "what git-annex syncs": ("update-ref", "refs/synced/main", "HEAD~1"),
    "a view": ("update-ref", "refs/heads/views/x", "HEAD~1"),
    "a git-annex branch": ("update-ref", "refs/remotes/far/git-annex", "HEAD~1"),
    "a detached head": ("checkout", "-q", "HEAD~1"),
}


@pytest.mark.parametrize("ref", REFS)
def test_what_a_ref_uses_is_used_for_both(dataset: Path, ref: str) -> None:
    git(dataset, "remote", "remove", "b")
    key = replaced(dataset)
    assert ours_unused(dataset)["unused"] == {key}
    git(dataset, *REFS[ref])
    assert ours_unused(dataset) == theirs_unused(dataset)


@pytest.mark.parametrize(
    "refspec",
    [
        "+refs/heads/*",
        "+refs/tags/*",
        "+refs/tags/*:-refs/tags/o?d",
        "+HEAD~1",
        "reflog",
        "-refs/tags/old:+*",
        "+REFS/*",
    ],
)
def test_refspecs_mean_what_they_mean_to_git_annex(dataset: Path, refspec: str) -> None:
    git(dataset, "remote", "remove", "b")
    replaced(dataset)
    git(dataset, "tag", "old", "HEAD~1")
    assert ours_unused(dataset, used_refspec=refspec) == theirs_unused(dataset, f"--used-refspec={refspec}")


@pytest.mark.parametrize("refspec", ["+refs/heads/*", "nonsense"])
def test_the_setting_for_refs_is_honoured_as_by_git_annex(dataset: Path, refspec: str) -> None:
    git(dataset, "remote", "remove", "b")
    key = replaced(dataset)
    git(dataset, "tag", "old", "HEAD~1")
    git(dataset, "config", "annex.used-refspec", refspec)
    assert ours_unused(dataset) == theirs_unused(dataset)
    assert (key in ours_unused(dataset)["unused"]) is (refspec != "nonsense")


def _staged(dataset: Path, key: str) -> None:
    target = git(dataset, "rev-parse", "HEAD~1:d/b.dat").strip()
    git(dataset, "update-index", "--add", "--cacheinfo", f"120000,{target},d/staged.dat")


def _link_lies_there(dataset: Path, key: str) -> None:
    os.symlink(git(dataset, "show", "HEAD~1:d/b.dat"), dataset / "d" / "never-saved.dat")


def _link_lies_where_another_was_saved(dataset: Path, key: str) -> None:
    (dataset / "a.dat").unlink()
    os.symlink(git(dataset, "show", "HEAD~1:d/b.dat").removeprefix("../"), dataset / "a.dat")


def _unlocked_and_never_staged(dataset: Path, key: str) -> None:
    write(dataset, "new.dat", "b" * 2000)  # the old content, in an unlocked file that git-annex has seen
    git(dataset, "-c", "annex.largefiles=anything", "add", "new.dat")
    git(dataset, "rm", "-q", "--cached", "new.dat")


@pytest.mark.parametrize("fraction", ["123456789", "012345678", "123456700", "000000001", "000000000"])
def test_an_unlocked_file_is_known_by_its_time_to_the_nanosecond(dataset: Path, fraction: str) -> None:
    git(dataset, "remote", "remove", "b")
    replaced(dataset)
    write(dataset, "new.dat", "b" * 2000)
    os.utime(dataset / "new.dat", ns=(0, int("1600000000" + fraction)))
    git(dataset, "-c", "annex.largefiles=anything", "add", "new.dat")
    git(dataset, "rm", "-q", "--cached", "new.dat")
    assert theirs_unused(dataset) == ours_unused(dataset) == {"unused": set(), "bad": set(), "tmp": set()}
    os.utime(dataset / "new.dat", ns=(0, int("1600000000" + fraction) + 10))
    assert ours_unused(dataset)["unused"]


USES = [_staged, _link_lies_there, _link_lies_where_another_was_saved, _unlocked_and_never_staged]


@pytest.mark.parametrize("use", USES)
def test_what_the_index_and_the_work_tree_use_is_used_for_both(dataset: Path, use: Callable[[Path, str], None]) -> None:
    git(dataset, "remote", "remove", "b")
    key = replaced(dataset)
    use(dataset, key)
    theirs = theirs_unused(dataset)  # first: its filter may still be writing notes when git add is over
    assert ours_unused(dataset) == theirs


def test_bad_and_half_way_contents_are_listed_as_by_git_annex(dataset: Path) -> None:
    for folder, name in (("bad", "SHA256E-s4--aa.dat"), ("tmp", "SHA256E-s9--bb.dat"), ("tmp", "no key")):
        (dataset / ".git/annex" / folder).mkdir(exist_ok=True)
        (dataset / ".git/annex" / folder / name).write_text("half")
    ours = ours_unused(dataset, fast=True)
    assert ours == {"unused": set(), "bad": {"SHA256E-s4--aa.dat"}, "tmp": {"SHA256E-s9--bb.dat"}}
    assert ours == theirs_unused(dataset, "--fast")


def test_git_annex_drops_by_the_numbers_of_engram(dataset: Path) -> None:
    git(dataset, "remote", "remove", "b")
    replaced(dataset)
    [record] = told(dataset, "unused")
    annex(dataset, "dropunused", "--force", str(record["number"]))
    assert ours_unused(dataset)["unused"] == set()


def test_engram_drops_by_the_numbers_of_git_annex(dataset: Path) -> None:
    key = replaced(dataset)
    git(dataset, "update-ref", "-d", "refs/remotes/b/main")
    for name in git(dataset, "for-each-ref", "--format=%(refname)", "refs/remotes/b/").split():
        if not name.endswith("/git-annex"):
            git(dataset, "update-ref", "-d", name)
    [listed] = lines(dataset, "unused")
    [number] = listed["unused-list"]
    [record] = told(dataset, "dropunused", [number])
    assert (record["status"], record["key"]) == ("ok", key)  # b is on this machine, and proven to have it
    assert uuid_of(dataset) not in {copy["uuid"] for copy in lines(dataset, "whereis", f"--key={key}")[0]["whereis"]}


def test_what_only_this_clone_has_stays_for_both(dataset: Path) -> None:
    git(dataset, "remote", "remove", "b")
    key = replaced(dataset)
    told(dataset, "unused")
    [theirs] = lines(dataset, "dropunused", "1")
    [ours] = told(dataset, "dropunused", ["1"])
    assert (theirs["success"], ours["status"], ours["error"]) == (False, "error", "TooFewCopies")
    [forced] = told(dataset, "dropunused", ["all"], force=True)
    assert (forced["status"], forced["key"]) == ("ok", key)
    assert annex(dataset, "fsck", "-q") == ""


# --- fsck


def hurt(dataset: Path) -> None:
    """One of each: a flipped bit, a cut content, one that is gone, one unprotected, a wrong log, a wrong link."""
    for number in range(6):
        write(dataset, f"only/{number}.dat", f"only here {number}")
    save(dataset, message="more")
    rewrite(object_of(dataset, "only/0.dat"), "only hexe 0")
    rewrite(object_of(dataset, "only/1.dat"), "only")
    delete(object_of(dataset, "only/2.dat"))
    object_of(dataset, "only/3.dat").chmod(0o644)
    object_of(dataset, "only/3.dat").parent.chmod(0o755)
    annex(dataset, "setpresentkey", key_of(dataset, "only/4.dat").decode(), uuid_of(dataset), "0")
    git(dataset, "mv", "only/5.dat", "moved.dat")


@pytest.mark.parametrize("full", [False, True], ids=["fast", "full"])
def test_fsck_finds_and_mends_what_git_annex_finds_and_mends(template: Template, full: bool) -> None:
    ends = {}
    for program in ("git-annex", "engram"):
        dataset = fresh(template) / "a"
        hurt(dataset)
        if program == "engram":
            found = {record["item"]: record["status"] == "ok" for record in told(dataset, "fsck", full=full)}
        else:
            found = {
                record["file"]: record["success"] for record in lines(dataset, "fsck", *([] if full else ["--fast"]))
            }
        held = {record["file"]: len(record["whereis"]) for record in lines(dataset, "whereis")}
        modes = (
            oct(object_of(dataset, "only/3.dat").stat().st_mode),
            oct(object_of(dataset, "only/3.dat").parent.stat().st_mode),
        )
        bad = sorted(path.name for path in (dataset / ".git/annex/bad").iterdir())
        ends[program] = found, held, modes, bad, os.readlink(dataset / "moved.dat")
    assert ends["engram"] == ends["git-annex"]


def test_git_annex_finds_nothing_left_to_mend(dataset: Path) -> None:
    hurt(dataset)
    told(dataset, "fsck", full=True)
    before = git(dataset, "rev-parse", "git-annex")
    annex(dataset, "fsck", fine=(0, 1))
    changed = git(dataset, "diff", "--name-only", before.strip(), "git-annex").split()
    assert changed in ([], ["activity.log"])


def test_engram_finds_nothing_left_to_mend_after_git_annex(dataset: Path) -> None:
    hurt(dataset)
    annex(dataset, "fsck", "-q", fine=(0, 1))
    records = told(dataset, "fsck", full=True)
    assert {record["note"] for record in records if record["status"] == "ok"} == {""}
    assert {record["error"] for record in records if record["status"] == "error"} == {"NoCopy"}


def test_both_note_that_the_repository_was_checked(dataset: Path) -> None:
    told(dataset, "fsck")
    assert git(dataset, "show", "git-annex:activity.log").startswith(f"{uuid_of(dataset)} Fsck timestamp=")
    annex(dataset, "fsck", "-q")
    annex(dataset, "expire", "1d", "--no-act")


@pytest.mark.parametrize("numcopies", ["2", "3"])
def test_both_ask_for_the_same_number_of_copies(dataset: Path, numcopies: str) -> None:
    annex(dataset, "numcopies", numcopies)
    write(dataset, "d/.gitattributes", "*.dat annex.numcopies=1\n")
    save(dataset, to_git=True)
    ours = {record["item"]: record["status"] == "ok" for record in told(dataset, "fsck")}
    theirs = {record["file"]: record["success"] for record in lines(dataset, "fsck", "--fast")}
    assert ours == theirs
    assert ours["a.dat"] is (numcopies == "2")


def test_a_content_given_up_is_missed_by_neither(dataset: Path) -> None:
    key = key_of(dataset, "d/e/c.dat").decode()
    annex(dataset, "drop", "--force", "-q", "d/e/c.dat")
    annex(dataset, "setpresentkey", key, uuid_of(dataset.parent / "b"), "0")
    assert [record["status"] for record in told(dataset, "fsck", ["d/e/c.dat"])] == ["error"]
    annex(dataset, "dead", "--key", key)
    assert [record["success"] for record in lines(dataset, "fsck", "d/e/c.dat")] == [True]
    assert [record["status"] for record in told(dataset, "fsck", ["d/e/c.dat"])] == ["ok"]


def test_required_content_is_left_to_git_annex(dataset: Path) -> None:
    annex(dataset, "required", "b", "anything")
    write(dataset, "new.dat", "not there yet")
    save(dataset, message="new")
    records = {record["item"]: record for record in told(dataset, "fsck")}
    assert records["new.dat"]["status"] == "error"
    assert "Required content" in records["new.dat"]["message"]
    assert {record["note"] for record in records.values()} == {"handed to git-annex: some repository requires content"}


@pytest.mark.parametrize("backend", ["BLAKE3_256E", "XXH3E", "WORM", "SKEIN256"])
def test_contents_whose_keys_only_git_annex_makes_are_checked_by_it(dataset: Path, backend: str) -> None:
    for name in ("f [1].dat", "plain.dat"):
        (dataset / name).write_text(f"{backend} {name}")
    (dataset / "same.dat").write_text(f"{backend} plain.dat")
    annex(dataset, "add", "-q", f"--backend={backend}", ".")
    git(dataset, "commit", "-qm", "other keys")
    told(dataset, "numcopies", 1)
    rewrite(object_of(dataset, "plain.dat"), f"{backend} PLAIN.dat")
    rewrite(object_of(dataset, "f [1].dat"), f"{backend} F [1].dat")
    ours = {record["item"]: record["status"] == "ok" for record in told(dataset, "fsck", full=True)}
    checks_bytes = backend != "WORM"
    assert [ours["plain.dat"], ours["f [1].dat"]] == [not checks_bytes] * 2
    assert ours["a.dat"]
    assert "same.dat" in ours
    assert len(list((dataset / ".git/annex").glob("bad/*"))) == 2 * checks_bytes


def test_an_unlocked_file_is_filled_and_kept_by_both(template: Template) -> None:
    ends = []
    for program in ("git-annex", "engram"):
        dataset = fresh(template) / "a"
        annex(dataset, "unlock", "-q", "d/e/c.dat")
        git(dataset, "commit", "-qam", "unlocked")
        pointer = git(dataset, "show", ":d/e/c.dat")
        (dataset / "d/e/c.dat").write_text(pointer)
        if program == "engram":
            assert {record["status"] for record in told(dataset, "fsck", full=True)} == {"ok"}
        else:
            annex(dataset, "fsck", "-q")
        ends.append(((dataset / "d/e/c.dat").read_text(), git(dataset, "status", "--porcelain")))
    assert ends == [(FILES["d/e/c.dat"], "")] * 2


def test_a_clone_can_get_what_was_restored(pair: Path) -> None:
    dataset = pair / "a"
    rewrite(object_of(dataset, "a.dat"), "x" * 3000)
    [record] = told(dataset, "fsck", ["a.dat"], full=True)
    assert (record["status"], record["has_content"]) == ("ok", True)
    assert "restored from b" in record["note"]
    git(pair, "clone", "-q", "a", "c")
    connect(pair, "c", "origin", "a")
    annex(pair / "c", "init", "-q", "c")
    annex(pair / "c", "get", "-q", "--from=origin", "a.dat")
    assert (pair / "c" / "a.dat").read_text() == FILES["a.dat"]
    assert annex(dataset, "fsck", "-q") == ""
