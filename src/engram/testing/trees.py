"""Folders with every name, link, size and kind of file that has broken a tool before.

Each maker adds to a folder and gives the relative paths that it made, as bytes, for that is what names are. The same
folder comes out every time. `nasty_tree` makes all of what a dataset can keep.
"""

import os
import random
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

_MEBIBYTE = 1 << 20
_LONGEST_NAME_BYTES = 255

#: Names that are odd and yet can be kept.
ODD_NAMES = (
    b"new\nline",
    b"tab\tin it",
    b"\x01 control \x7f \x1b[31m",
    b"-leading-dash",
    b"--option=value",
    b"~",
    b"~root",
    b" space before",
    b"space after ",
    b" ",
    b";|&$'\"<>{}%b5",
    b"$(touch canary)",
    b"`touch canary`",
    b"back\\slash",
    b"a\\b\\..\\c",
    b"*?[star]",
    b":(top)magic",
    b":!exclude",
    b"#comment",
    b"!negated",
    b'"quoted"',
    b"not utf-8 \xff\xfe",
    b"\xc3\x28 bad sequence",
    b"latin-1 \xe9",
    "composed \u00e9".encode(),
    "decomposed e\u0301".encode(),
    b"case",
    b"CASE",
    b"Case",
    b"CON",
    b"nul.txt",
    b"a.",
    b"...",
    b"..a",
    b"x" * _LONGEST_NAME_BYTES,
    "é".encode() * 127,
    "brain \U0001f9e0".encode(),
    "right \u202eot left".encode(),
    "zero\u200bwidth\ufeff".encode(),
    "line\u2028separator\u0085".encode(),
    b".gitmodules-like",
    b".gitmodules.txt",
    b".gitfoo",
    b".gitattributes-not",
    b"%2e%2e%2fetc%2fpasswd",
    b"percent%sformat%n",
    b"SHA256E-s4--looks-like-a-key.txt",
    b"&amp;&lt;html&gt;",
    b"0",
    b"=1+1",
    b"comma,semicolon;",
    b"/".join([b"a", b"b"]),
    b"a-b",
    b"a.b",
    b"a0",
)

#: Names that git keeps in no dataset.
NAMES_GIT_REFUSES = (b".GIT", b".Git", b"git~1", b"sub/.gIt", b"GIT~1")

#: Where the extension begins, and whether it counts, is decided differently from what one would think.
EXTENSIONS = (
    b"sub-01_T1w.nii.gz",
    b"archive.tar.gz",
    b"UPPER.NII.GZ",
    b"four.ab.cd.ef.gh",
    b"long.extension",
    b"exact.four",
    b"exactly.fivey",
    b"ends.with.",
    b"digits.1.2.3",
    b".hidden",
    b".hidden.txt",
    b"no-extension",
    b"odd.e-t",
    b"odd.e_t",
    b"space.e t",
    "accent.\u00e9\u00e9".encode(),
    b"bytes.\xff\xfe",
    b"two..dots",
    b"g0_t0.imec0.ap.bin",
    b"probe.meta",
    b"video.0001.tif",
    b"newline.t\nt",
)


def write(folder: Path, name: bytes, content: bytes = b"", *, mode: int = 0o644) -> bytes:
    """Write a file, with the folders above it, and give its name."""
    path = os.path.join(os.fsencode(folder), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return name


def odd_names(folder: Path, names: Iterable[bytes] = ODD_NAMES) -> tuple[bytes, ...]:
    """A file of each name, and a file in a folder of each name; each holds its own path."""
    made = [write(folder, name, b"file " + name) for name in names]
    made += [write(folder, b"folders/" + name + b"/in it", b"in " + name) for name in names if b"/" not in name]
    return tuple(made)


def deep_folder(folder: Path, *, levels: int = 200) -> tuple[bytes, ...]:
    """One file below so many folders."""
    return (write(folder, b"/".join([b"deep", *[b"d"] * levels, b"bottom"]), b"deep"),)


def long_path(folder: Path, *, size_bytes: int = 3900) -> tuple[bytes, ...]:
    """One file whose path, from the root of the disk on, is so long; Linux takes 4095 bytes."""
    left = size_bytes - len(os.fsencode(folder)) - 1
    parts = [b"p" * min(_LONGEST_NAME_BYTES, left - start) for start in range(0, left, _LONGEST_NAME_BYTES + 1)]
    return (write(folder, b"/".join(part for part in parts if part), b"long"),)


def extensions(folder: Path) -> tuple[bytes, ...]:
    """Files whose keys must carry the extension that git-annex would give them."""
    return tuple(write(folder, b"extensions/" + name, b"content of " + name) for name in EXTENSIONS)


def links(folder: Path, outside: Path) -> tuple[bytes, ...]:
    """Symbolic links of every kind; *outside* is a folder that is there and lies elsewhere."""
    write(folder, b"links/target", b"target")
    write(outside, b"outside", b"nothing of the dataset's")
    targets = {
        b"to-a-file": b"target",
        b"to-a-folder": b".",
        b"to-the-root": b"/",
        b"dangling": b"nowhere",
        b"looping": b"looping",
        b"looping-a": b"looping-b",
        b"looping-b": b"looping-a",
        b"absolute": os.fsencode(folder / "links" / "target"),
        b"out-of-the-dataset": os.fsencode(outside / "outside"),
        b"out-of-the-dataset-relative": os.fsencode(os.path.relpath(outside / "outside", folder / "links")),
        b"to-a-folder-outside": os.fsencode(outside),
        b"through-a-file": b"target/below",
        b"odd-target": b"new\nline \xff",
        b"to-the-repository": b"../.git/config",
        b"like-annexed": b"../.git/annex/objects/xx/yy/MD5-s1--0/MD5-s1--0",
        b"like-a-key-only": b"SHA256E-s1--0",
        b"long-target": b"t/" * 1000,
    }
    for name, target in targets.items():
        os.symlink(target, os.path.join(os.fsencode(folder), b"links", name))
    return (b"links/target", *(b"links/" + name for name in targets))


def sizes(folder: Path, *, sparse_bytes: int = 64 * _MEBIBYTE, seed: int = 0) -> tuple[bytes, ...]:
    """Files of the sizes at which programs change their ways, and one that is nothing but a hole."""
    content = random.Random(seed).randbytes(_MEBIBYTE + 1)
    lengths = (0, 1, 2, 4095, 4096, 4097, 32 * 1024, 65_537, _MEBIBYTE - 1, _MEBIBYTE, _MEBIBYTE + 1)
    made = [write(folder, b"sizes/%d.bin" % length, content[:length]) for length in lengths]
    made += [write(folder, b"sizes/same-%d.bin" % number, content[:4096]) for number in range(2)]
    made.append(write(folder, b"sizes/sparse.bin"))
    os.truncate(folder / "sizes" / "sparse.bin", sparse_bytes)
    return tuple(made)


def modes(folder: Path) -> tuple[bytes, ...]:
    """Programs, files nobody may write, and files only their owner may read."""
    choices = (0o755, 0o744, 0o700, 0o555, 0o444, 0o400, 0o600, 0o640, 0o666, 0o777)
    return tuple(write(folder, b"modes/%o" % mode, b"#!/bin/sh\n# %o\n" % mode, mode=mode) for mode in choices)


def hard_links(folder: Path, outside: Path) -> tuple[bytes, ...]:
    """Files with a second name inside, and with one outside (on the same disk)."""
    inside = write(folder, b"hard/one", b"two names inside")
    os.link(folder / "hard" / "one", folder / "hard" / "two")
    write(outside, b"hard-outside", b"two names, one outside")
    os.link(outside / "hard-outside", folder / "hard" / "three")
    return (inside, b"hard/two", b"hard/three")


def empty_folders(folder: Path) -> tuple[bytes, ...]:
    """Folders with nothing in them: git keeps none."""
    for name in ("empty/a/b", "empty/c"):
        (folder / name).mkdir(parents=True)
    return (b"empty/a/b", b"empty/c")


def ignored_files(folder: Path) -> tuple[bytes, ...]:
    """Files that a ``.gitignore`` excludes; that file, and the exceptions it makes, are not among them."""
    write(folder, b"ignoring/.gitignore", b"*.tmp\n/cache/\n!kept.tmp\n")
    write(folder, b"ignoring/kept.tmp", b"an exception")
    return tuple(write(folder, b"ignoring/" + name, b"ignored") for name in (b"a.tmp", b"sub/b.tmp", b"cache/kept.tmp"))


def special_files(folder: Path) -> tuple[bytes, ...]:
    """What git keeps none of: a pipe that nobody writes to, sockets, and for root a device."""
    (folder / "special").mkdir()
    os.mkfifo(folder / "special" / "pipe")
    os.mknod(folder / "special" / "socket", stat.S_IFSOCK | 0o600)
    if os.geteuid() != 0:
        return (b"special/pipe", b"special/socket")
    os.mknod(folder / "special" / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    return (b"special/pipe", b"special/socket", b"special/null")


def unreadable_files(folder: Path) -> tuple[bytes, ...]:
    """A file and a folder that nobody may read (but root may)."""
    write(folder, b"unreadable/file", b"secret", mode=0)
    write(folder, b"unreadable/folder/file", b"secret")
    os.chmod(folder / "unreadable" / "folder", 0)
    return (b"unreadable/file", b"unreadable/folder/file")


def nested_repositories(folder: Path) -> tuple[bytes, ...]:
    """Repositories inside: with a commit, without one, and what only looks like one."""
    for name in ("with-commit", "without-commit"):
        subprocess.run(["git", "init", "-q", str(folder / "nested" / name)], check=True)
        write(folder, b"nested/" + name.encode() + b"/file", name.encode())
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for command in (("add", "."), ("commit", "-qm", "first")):
        subprocess.run(["git", *identity, *command], cwd=folder / "nested" / "with-commit", check=True)
    (folder / "nested" / "empty-git" / ".git").mkdir(parents=True)
    write(folder, b"nested/empty-git/file", b"beside an empty .git")
    write(folder, b"nested/file-git/.git", b"gitdir: /nowhere\n")
    write(folder, b"nested/file-git/file", b"beside a .git that points nowhere")
    return tuple(b"nested/" + name for name in (b"with-commit", b"without-commit", b"empty-git", b"file-git"))


def names_git_refuses(folder: Path) -> tuple[bytes, ...]:
    """Files with names that git keeps in no dataset."""
    return tuple(write(folder, name + b"/file", b"refused") for name in NAMES_GIT_REFUSES)


def nasty_tree(folder: Path, outside: Path) -> tuple[bytes, ...]:
    """All that a dataset can keep, in one folder; gives what must be found in it after a save."""
    return (
        *odd_names(folder),
        *deep_folder(folder),
        *long_path(folder),
        *extensions(folder),
        *links(folder, outside),
        *sizes(folder),
        *modes(folder),
        *hard_links(folder, outside),
    )
