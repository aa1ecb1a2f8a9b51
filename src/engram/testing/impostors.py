"""Datasets whose committed files, branches and contents lie: what a clone of a stranger's dataset brings along.

Like those of `engram.testing.malice`: each function poisons a git repository in one way and says how; here it is that
of the stranger, and a clone of it is where the `Canary` would die. `IMPOSTORS` names all of them. What no
clone takes over is in `engram.testing.squatters`.

Source: https://git-annex.branchable.com/internals/, https://git-scm.com/docs/gitmodules,
https://docs.datalad.org/en/stable/generated/man/datalad-run.html (the record of a run)
"""

import json
import os
import subprocess
from pathlib import Path

from engram.datasets.annex.hashdirs import log_path, object_path
from engram.testing.canary import Canary
from engram.testing.malice import Malice, git_annex_branch_with

_UUID = "22222222-0000-4000-8000-000000000000"
_HUGE_BYTES = 2 << 20


def _git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", *words], cwd=folder, input=stdin, check=True, capture_output=True)
    return done.stdout.decode(errors="surrogateescape").strip()


def _commit(folder: Path, message: str = "trust me") -> None:
    """Commit what is staged, past the hooks, which would refuse most of what is here."""
    head = _git(folder, "commit-tree", "-p", "HEAD", "-m", message, _git(folder, "write-tree"))
    _git(folder, "update-ref", "HEAD", head)


def _tracked(folder: Path, *entries: tuple[str, str, bytes]) -> None:
    """Commit ``(mode, path, content)`` as they are, whatever the work tree thinks of it."""
    for mode, path, content in entries:
        oid = content.decode() if mode == "160000" else _git(folder, "hash-object", "-w", "--stdin", stdin=content)
        _git(folder, "update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")
    _commit(folder)


def links_to_keys_that_climb_out(folder: Path, canary: Canary) -> str:
    """Links that look like annexed files, and whose last part, or the one before, leads out."""
    way_out = os.path.relpath(canary.file, folder)
    objects = ".git/annex/objects/00/00"
    _tracked(
        folder,
        ("120000", "dots.dat", f"{objects}/../..".encode()),
        ("120000", "name.dat", f"{objects}/MD5E-s5--../MD5E-s5--..".encode()),
        ("120000", "long.dat", f"{objects}/SHA256E-s1--{'0' * 64}/../../../../../../{way_out}".encode()),
        (
            "120000",
            "escaped.dat",
            f"{objects}/WORM-s1-m1--..%..%..%cage%canary/WORM-s1-m1--..%..%..%cage%canary".encode(),
        ),
    )
    return "annexed links whose keys are .., or hold it"


def pointers_to_keys_that_climb_out(folder: Path, canary: Canary) -> str:
    """Unlocked files that name such keys."""
    way_out = os.path.relpath(canary.file, folder / ".git" / "annex" / "objects" / "00" / "00" / "x")
    names = ("..", "../../../cage/canary", f"MD5E-s1--{way_out}", "WORM-s1-m1--a/../../../../../../cage/canary", "")
    entries = [
        ("100644", f"pointer-{number}.dat", f"/annex/objects/{name}\n".encode()) for number, name in enumerate(names)
    ]
    _tracked(folder, *entries)
    return "pointer files whose keys hold slashes"


def keys_that_look_like_options(folder: Path, _: Canary) -> str:
    """Files and keys that a command line would take for something else."""
    key = b"WORM-s1-m1----force"
    names = ("--force", "-f", "--reckless=kill", ":(top)all", "--all", "new\nline.dat", "*")
    target = b".git/" + object_path(key)
    _tracked(folder, *(("120000", name, target) for name in names))
    git_annex_branch_with(folder, {log_path(key).decode(): f"1s 1 {_UUID}\n".encode()})
    return "files called --force, and a key that ends so"


def special_remotes_that_run_things(folder: Path, canary: Canary) -> str:
    """Every kind of special remote that names a program, a place or a host, each to be enabled by itself."""
    canary.program(canary.cage / "bin" / "git-annex-remote-canary")
    canary.program(canary.cage / "bin" / "evil-rsync")
    canary.settle()
    kinds = (
        "type=external externaltype=canary",
        f"type=directory directory={canary.cage}",
        "type=hook hooktype=canary",
        f"type=rsync rsyncurl=-e{canary.cage}/bin/evil-rsync:x",
        f"type=git location=ext::sh&32;-c&32;{canary.cage}/bin/evil-rsync",
        f"type=gcrypt gitrepo={canary.cage} encryption=shared cipher=AAAA",
        "type=S3 host=127.0.0.1 port=1 bucket=x",
        f"type=bup buprepo={canary.cage}",
        f"type=ddar ddarrepo={canary.cage}",
        f"type=borg borgrepo={canary.cage}",
        "type=adb androidserial=x androiddirectory=/",
        "type=httpalso url=file:///etc",
        "type=web urlinclude=*",
        "type=external externaltype=../../cage/bin/git-annex-remote-canary",
    )
    lines = [
        f"{_UUID[:-2]}{number:02d} autoenable=true encryption=none name=shelf{number} {kind} timestamp=1s\n"
        for number, kind in enumerate(kinds)
    ]
    git_annex_branch_with(folder, {"remote.log": "".join(lines).encode()})
    return "fourteen special remotes that enable themselves"


def contents_at_addresses_here(folder: Path, canary: Canary) -> str:
    """URLs of contents that name files of this machine, commands and options."""
    addresses = (
        f"file://{canary.file}",
        str(canary.file),
        f"ext::sh -c {canary.command}",
        f"--output={canary.cage}/dead",
        f"-o{canary.cage}/dead",
        f"yt:file://{canary.file}",
        "http://127.0.0.1:1/x",
        "magnet:?xt=canary",
    )
    for number, address in enumerate(addresses):
        key = b"URL-s48--%d" % number
        _tracked(folder, ("120000", f"web-{number}.dat", b".git/" + object_path(key)))
        log = log_path(key).decode()
        web = "00000000-0000-0000-0000-000000000001"
        git_annex_branch_with(folder, {f"{log}.web": f"1s 1 {address}\n".encode(), log: f"1s 1 {web}\n".encode()})
    return "contents at file:// and worse"


def logs_of_great_size(folder: Path, _: Canary) -> str:
    """One line of 2 MiB in each of the logs that every verb reads."""
    line = b"1s 1 " + b"x" * _HUGE_BYTES + b"\n"
    key = b"MD5E-s1--0cc175b9c0f1b6a831c399e269772661.dat"
    _tracked(folder, ("120000", "large.dat", b".git/" + object_path(key)))
    git_annex_branch_with(folder, dict.fromkeys(("uuid.log", "trust.log", log_path(key).decode()), line))
    return "logs with lines of 2 MiB"


def logs_that_make_no_sense(folder: Path, _: Canary) -> str:
    """Numbers, times and names that nobody would write."""
    key = b"MD5E-s1--0cc175b9c0f1b6a831c399e269772661.dat"
    _tracked(folder, ("120000", "odd.dat", b".git/" + object_path(key)))
    git_annex_branch_with(
        folder,
        {
            "numcopies.log": b"99999999999999999999999999s 99999999999999999999\n-1s -5\n\xff\xfe\n",
            "mincopies.log": b"nans NaN\n1e9999s 1e9999\n",
            "trust.log": f"{_UUID} 1 timestamp=infs\n{_UUID} ? timestamp=-99999999999s\n".encode(),
            "uuid.log": f"{_UUID} \x1b]0;dead\x07\x1b[2J timestamp=1s\n../../cage x timestamp=1s\n".encode(),
            "required-content.log": f"{_UUID} include=../../../* timestamp=1s\n".encode(),
            "preferred-content.log": b"\0\0\0 ((((((((((( timestamp=1s\n",
            log_path(key).decode(): b"1s 1 ../../../cage\n" + f"{'9' * 5000}s 1 {_UUID}\n".encode() + b"\xff\0\r\n",
        },
    )
    return "logs of nonsense"


def numbers_without_end(folder: Path, _: Canary) -> str:
    """Sizes, times, copies and characters of more digits than Python makes a number of, or a name of."""
    nines = "9" * 5000
    _tracked(
        folder,
        ("100644", "endless.dat", f"/annex/objects/SHA256E-s{nines}--{'a' * 64}.dat\n".encode()),
        ("100644", "long.dat", f"/annex/objects/SHA256E-s9--{'a' * 300}\n".encode()),
        ("120000", "link.dat", b".git/" + object_path(b"SHA256E-s" + b"9" * 190 + b"--" + b"a" * 64)),
        ("100644", "sub/.gitattributes", f"*.dat annex.numcopies={nines[:1900]}\n".encode()),
    )
    key = b"MD5E-s1--0cc175b9c0f1b6a831c399e269772661.dat"
    _tracked(folder, ("120000", "odd.dat", b".git/" + object_path(key)))
    git_annex_branch_with(
        folder,
        {
            "numcopies.log": f"1s {nines}\n".encode(),
            "mincopies.log": f"{nines}s 1\n{nines}s 2\n".encode(),
            "config.log": f"1s annex.largefiles largerthan={nines}\n".encode(),
            "trust.log": f"{_UUID} 0 timestamp={nines}s\n{_UUID} 0 timestamp={nines}s\n".encode(),
            "remote.log": f"{_UUID} name=&{nines};&9999999;&55357; type=external timestamp=1s\n".encode(),
            log_path(key).decode(): f"{nines}s 1 {_UUID}\n{nines}s 0 {_UUID}\n".encode(),
        },
    )
    person = f"Ada <ada@rig> {nines} +0000"
    tree, head = (_git(folder, "rev-parse", name) for name in ("HEAD^{tree}", "HEAD"))
    commit = f"tree {tree}\nparent {head}\nauthor {person}\ncommitter {person}\n\nlate\n"
    late = _git(folder, "hash-object", "-w", "-t", "commit", "--literally", "--stdin", stdin=commit.encode())
    _git(folder, "update-ref", "HEAD", late)
    return "numbers of 5000 digits"


def branch_with_odd_entries(folder: Path, canary: Canary) -> str:
    """A git-annex branch with folders called .. and links in it."""
    blob = _git(folder, "hash-object", "-w", "--stdin", stdin=os.fsencode(canary.file))
    inner = _tree(folder, ("100644", "canary", blob))
    root = _tree(folder, ("40000", "..", inner), ("120000", "uuid.log", blob), ("40000", ".git", inner))
    head = _git(folder, "commit-tree", "-m", "odd", root)
    _git(folder, "update-ref", "refs/heads/git-annex", head)
    return "a git-annex branch that holds .. and links"


def _tree(folder: Path, *entries: tuple[str, str, str]) -> str:
    content = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    return _git(folder, "hash-object", "-w", "--literally", "-t", "tree", "--stdin", stdin=content)


def subdatasets_from_anywhere(folder: Path, canary: Canary) -> str:
    """Subdatasets whose names, paths and addresses try every trick, each of them recorded in the tree."""
    head = _git(folder, "rev-parse", "HEAD").encode()
    sections = (
        ("../../cage", "climbing", f"ext::sh -c {canary.command}"),
        ("option", "option", f"--upload-pack={canary.command}"),
        ("dashed", "dashed", "-u./x"),
        ("here", "here", str(canary.cage)),
        ("file", "file", f"file://{canary.cage}"),
        ("ssh", "ssh", "ssh://-oProxyCommand=x/y"),
        ("ria", "ria", f"ria+file://{canary.cage}#~x"),
        ("up", "up", "../../../cage"),
        ("update", "update", "./x"),
    )
    text = "".join(
        f'[submodule "{name}"]\n\tpath = {path}\n\turl = "{url}"\n\tupdate = "!{canary.command}"\n'
        f"\tdatalad-url = {url!r}\n"
        for name, path, url in sections
    )
    links = [("160000", path, head) for _, path, _ in sections]
    _tracked(folder, ("100644", ".gitmodules", text.encode()), *links)
    return "subdatasets with addresses that run things"


def subdataset_below_a_link(folder: Path, canary: Canary) -> str:
    """A folder that is a link into the cage, and a subdataset that claims to lie in it."""
    text = '[submodule "x"]\n\tpath = away/x\n\turl = ./\n[submodule "y"]\n\tpath = away\n\turl = ./\n'
    _tracked(folder, ("120000", "away", os.fsencode(canary.cage)), ("100644", ".gitmodules", text.encode()))
    return "a subdataset below a link into the cage"


def datalad_config_is_a_link(folder: Path, canary: Canary) -> str:
    """What they say comes from outside, and what is written goes there."""
    _tracked(folder, ("120000", ".datalad/config", os.fsencode(canary.file)))
    return ".datalad/config is a link to the canary"


def datalad_config_that_names_programs(folder: Path, canary: Canary) -> str:
    """Settings that a dataset may bring along, of the kind that DataLad obeys."""
    settings = "".join(
        f'[datalad "{section}"]\n\t{name} = {value}\n'
        for section, name, value in (
            ("clone", "reckless", "ephemeral"),
            ("get", "subdataset-source-candidate-100evil", f"ext::sh -c {canary.command}"),
            ("clone", "url-substitute-evil", f",^.*$,{canary.cage},"),
            ("run.substitutions", "inputs", f"; {canary.command}"),
            ("procedures.evil", "call-format", canary.command),
            ("ssh", "executable", str(canary.cage / "bin" / "evil")),
            ("result-hook.any", "call-json", 'run_procedure {"spec": "evil"}'),
            ("locations", "user-procedures", str(canary.cage)),
            ("locations", "sockets", str(canary.cage)),
        )
    )
    _tracked(
        folder,
        ("100644", ".datalad/config", settings.encode()),
        ("100755", ".datalad/procedures/evil.sh", f"#!/bin/sh\n{canary.command}\n".encode()),
    )
    return ".datalad/config that names programs"


def _record(**fields: object) -> str:
    plain: dict[str, object] = {
        "chain": [],
        "cmd": "true",
        "dsid": None,
        "exit": 0,
        "extra_inputs": [],
        "inputs": [],
        "outputs": [],
    }
    text = json.dumps({**plain, "pwd": ".", **fields}, indent=1)
    return f"[DATALAD RUNCMD] true\n\n=== Do not change lines below ===\n{text}\n^^^ Do not change lines above ^^^\n"


def run_record_with_a_command(folder: Path, canary: Canary) -> str:
    """A record whose command kills the canary, in its words, its inputs and its outputs."""
    _commit(folder, _record(cmd=canary.command))
    _commit(folder, _record(cmd="echo {inputs}", inputs=[f"$({canary.command})", "; " + canary.command]))
    return "run records with commands"


def run_record_elsewhere(folder: Path, canary: Canary) -> str:
    """A record that is to run in the cage, and writes there."""
    way_out = os.path.relpath(canary.cage, folder)
    _commit(folder, _record(cmd="touch dead", pwd=way_out, outputs=[f"{way_out}/canary", str(canary.file)]))
    return "a run record whose folder is the cage"


def run_record_beside(folder: Path, canary: Canary) -> str:
    """A record that is said to lie in a file outside."""
    (canary.cage / "record").write_text(json.dumps({"cmd": canary.command, "pwd": "."}))
    canary.settle()
    for name in ("../../../cage/record", "../../cage/canary", "/etc/passwd", "", "x" * 5000):
        _commit(folder, _sidecar(name))
    return "run records in files outside"


def _sidecar(name: str) -> str:
    return (
        "[DATALAD RUNCMD] true\n\n=== Do not change lines below ===\n"
        f"{json.dumps(name)}\n^^^ Do not change lines above ^^^\n"
    )


def run_record_of_nonsense(folder: Path, _: Canary) -> str:
    """Records of the wrong types, and one too deep to be read."""
    for text in ("[]", "{", '{"cmd": {"a": 1}}', '{"cmd": ["a", 3, null], "inputs": "x", "chain": 7}', "[" * 100_000):
        _commit(
            folder,
            _record().split("===")[0] + f"=== Do not change lines below ===\n{text}\n"
            "^^^ Do not change lines above ^^^\n",
        )
    return "run records that are none"


def attributes_that_disarm(folder: Path, _: Canary) -> str:
    """Rules that no copy is needed, and filters by every name."""
    text = "* annex.numcopies=0 annex.mincopies=0\n* filter=evil diff=evil merge=evil\n*.dat annex.backend=../../x\n"
    _tracked(folder, ("100644", ".gitattributes", text.encode()))
    return ".gitattributes that ask for no copies, and for filters"


def names_of_other_systems(folder: Path, _: Canary) -> str:
    """Names that are something else on other systems, and some that no terminal should see raw."""
    names = ("a\\..\\..\\cage", "nul", "c:\\x", "x\x1b[2J\x07.dat", "\u202egnp.dat", ".git\u200c/x")
    _tracked(folder, *(("100644", name, b"x") for name in names))
    return "names with backslashes and escapes"


#: What a clone brings along.
IMPOSTORS: tuple[Malice, ...] = (
    links_to_keys_that_climb_out,
    pointers_to_keys_that_climb_out,
    keys_that_look_like_options,
    special_remotes_that_run_things,
    contents_at_addresses_here,
    logs_of_great_size,
    logs_that_make_no_sense,
    numbers_without_end,
    branch_with_odd_entries,
    subdatasets_from_anywhere,
    subdataset_below_a_link,
    datalad_config_is_a_link,
    datalad_config_that_names_programs,
    run_record_with_a_command,
    run_record_elsewhere,
    run_record_beside,
    run_record_of_nonsense,
    attributes_that_disarm,
    names_of_other_systems,
)
