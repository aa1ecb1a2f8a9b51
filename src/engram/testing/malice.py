"""Datasets that name programs to be run: in ``.git``, as it comes along in a zip file or on somebody's USB stick.

Each function here poisons a git repository in one way and says how; `PROGRAMS` names all of them. Where it works, the
`Canary` dies. Those that reach outside without a program are in `engram.testing.escapes`.

Source: https://git-scm.com/docs/git-config, https://git-scm.com/docs/githooks,
https://git-annex.branchable.com/git-annex/ (configuration)
"""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from engram.testing.canary import Canary

#: Poisons a repository and says how.
Malice: TypeAlias = Callable[[Path, Canary], str]

_HOOKS = (
    "applypatch-msg commit-msg fsmonitor-watchman p4-changelist p4-post-changelist p4-pre-submit p4-prepare-changelist "
    "post-applypatch post-checkout post-commit post-index-change post-merge post-receive post-rewrite post-update "
    "pre-applypatch pre-auto-gc pre-commit pre-merge-commit pre-push pre-rebase pre-receive prepare-commit-msg "
    "proc-receive push-to-checkout reference-transaction sendemail-validate update "
    "annex-content-change-hook commitmessage-annex freezecontent-annex http-headers-annex post-update-annex "
    "pre-commit-annex pre-init-annex secure-erase-annex thawcontent-annex"
).split()

_UUID = "22222222-0000-4000-8000-000000000000"


def add_config(folder: Path, *settings: tuple[str, str], file: str = ".git/config") -> None:
    """Add ``(section.name, value)`` pairs to a file of git settings."""
    for name, value in settings:
        subprocess.run(["git", "config", "--file", file, "--add", name, value], cwd=folder, check=True)


def evil_program(folder: Path, canary: Canary, *, then: str = "exit 1") -> str:
    """The path of a program below ``.git`` that kills the canary."""
    return str(canary.program(folder / ".git" / "evil", then=then))


def every_hook(folder: Path, canary: Canary) -> str:
    """Hooks of git and git-annex by every name that there is."""
    for name in _HOOKS:
        canary.program(folder / ".git" / "hooks" / name, then="exit 0")
    return "a program for every hook"


def line_added_to_a_known_hook(folder: Path, canary: Canary) -> str:
    """The hook that git-annex writes, and one line more."""
    hook = folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n# automatically configured by git-annex\ngit annex pre-commit .\n{canary.command}\n")
    hook.chmod(0o755)
    return "a line more in git-annex's pre-commit hook"


def hooks_path(folder: Path, canary: Canary) -> str:
    """Hooks in the work tree, where a clone brings them along."""
    for name in _HOOKS:
        canary.program(folder / "hooks" / name, then="exit 0")
    add_config(folder, ("core.hooksPath", "hooks"))
    return "core.hooksPath = hooks"


def fsmonitor(folder: Path, canary: Canary) -> str:
    """Runs at every git status."""
    add_config(folder, ("core.fsmonitor", evil_program(folder, canary)))
    return "core.fsmonitor"


def fsmonitor_in_worktree_config(folder: Path, canary: Canary) -> str:
    """The same, in a second settings file that is easily forgotten."""
    add_config(folder, ("extensions.worktreeConfig", "true"))
    add_config(folder, ("core.fsmonitor", evil_program(folder, canary)), file=".git/config.worktree")
    return "core.fsmonitor in config.worktree"


def fsmonitor_included(folder: Path, canary: Canary) -> str:
    """The same, in a file of the work tree that is included."""
    add_config(folder, ("core.fsmonitor", evil_program(folder, canary)), file="notes.txt")
    add_config(folder, ("include.path", "../notes.txt"))
    return "include.path = ../notes.txt with core.fsmonitor"


def fsmonitor_included_if(folder: Path, canary: Canary) -> str:
    """The same, where a condition holds."""
    add_config(folder, ("core.fsmonitor", evil_program(folder, canary)), file="notes.txt")
    add_config(folder, ("includeIf.gitdir:**.path", "../notes.txt"))
    return "includeIf gitdir:** with core.fsmonitor"


def fsmonitor_in_common_folder(folder: Path, canary: Canary) -> str:
    """The same, in another repository that this one says it is a work tree of."""
    other = folder / "data" / "raw"
    subprocess.run(["git", "init", "-q", "--bare", str(other)], check=True)
    add_config(other, ("core.fsmonitor", evil_program(folder, canary)), file="config")
    add_config(other, ("core.bare", "false"), file="config")
    (folder / ".git" / "commondir").write_text("../data/raw\n")
    return "commondir in the work tree, with core.fsmonitor"


def fsmonitor_of_a_nested_repository(folder: Path, canary: Canary) -> str:
    """A repository inside, which git status looks into."""
    nested = folder / "nested"
    subprocess.run(["git", "init", "-q", str(nested)], check=True)
    add_config(nested, ("core.fsmonitor", evil_program(folder, canary)), ("user.name", "x"), ("user.email", "x"))
    subprocess.run(
        ["git", "-c", "core.fsmonitor=", "commit", "-q", "--allow-empty", "-m", "first"], cwd=nested, check=True
    )
    (nested / "file").touch()
    return "core.fsmonitor of a nested repository"


def ssh_command(folder: Path, canary: Canary) -> str:
    """Runs when a remote is asked."""
    program = evil_program(folder, canary)
    add_config(folder, ("core.sshCommand", program), ("core.gitProxy", program))
    add_config(folder, ("remote.origin.url", "ssh://example.invalid/data"))
    return "core.sshCommand"


def remote_programs(folder: Path, canary: Canary) -> str:
    """Programs at the other end of a remote, which is here."""
    program = evil_program(folder, canary)
    add_config(folder, ("remote.origin.url", str(folder)), ("remote.origin.annex-shell", program))
    add_config(folder, ("remote.origin.uploadpack", program), ("remote.origin.receivepack", program))
    return "remote.origin.uploadpack"


def ext_transport(folder: Path, canary: Canary) -> str:
    """A remote whose address is a command."""
    add_config(folder, ("protocol.ext.allow", "always"))
    add_config(folder, ("remote.origin.url", f"ext::sh -c {canary.command.replace(' ', '% ')}"))
    return "remote.origin.url = ext::sh -c …"


def promised_objects(folder: Path, canary: Canary) -> str:
    """An object that is missing, and a remote that promises it: merely reading it asks the remote."""
    add_config(folder, ("core.repositoryFormatVersion", "1"), ("extensions.partialClone", "origin"))
    add_config(folder, ("remote.origin.promisor", "true"), ("remote.origin.url", str(folder)))
    add_config(folder, ("remote.origin.uploadpack", evil_program(folder, canary)))
    return "extensions.partialClone with remote.origin.uploadpack"


def pagers(folder: Path, canary: Canary) -> str:
    """Pagers for every command."""
    program = evil_program(folder, canary)
    add_config(folder, *[(f"pager.{verb}", program) for verb in ("status", "log", "diff", "config", "branch", "tag")])
    add_config(folder, ("core.pager", program), ("interactive.diffFilter", program))
    return "core.pager and pager.*"


def editors(folder: Path, canary: Canary) -> str:
    """Editors for messages."""
    program = evil_program(folder, canary)
    add_config(folder, ("core.editor", program), ("sequence.editor", program), ("core.askPass", program))
    return "core.editor"


def signing(folder: Path, canary: Canary) -> str:
    """Signs every commit with a program of its own."""
    program = evil_program(folder, canary)
    add_config(folder, ("commit.gpgSign", "true"), ("tag.gpgSign", "true"), ("user.signingKey", "0"))
    add_config(folder, ("gpg.program", program), ("gpg.ssh.program", program), ("gpg.x509.program", program))
    return "commit.gpgSign with gpg.program"


def ssh_signing(folder: Path, canary: Canary) -> str:
    """Asks a program for the key to sign with."""
    add_config(folder, ("commit.gpgSign", "true"), ("gpg.format", "ssh"))
    add_config(folder, ("gpg.ssh.defaultKeyCommand", evil_program(folder, canary)))
    return "gpg.ssh.defaultKeyCommand"


def own_filter(folder: Path, canary: Canary) -> str:
    """Filters every file through a program."""
    program = evil_program(folder, canary, then="cat")
    add_config(folder, ("filter.tidy.clean", program), ("filter.tidy.smudge", program))
    with (folder / ".git" / "info" / "attributes").open("a") as attributes:
        attributes.write("* filter=tidy\n")
    return "filter.tidy.clean for every file"


def own_filter_process(folder: Path, canary: Canary) -> str:
    """The same, as one long-running program, for text files, by attributes that a clone brings."""
    add_config(folder, ("filter.tidy.process", evil_program(folder, canary)), ("filter.tidy.required", "true"))
    with (folder / ".gitattributes").open("a") as attributes:
        attributes.write("*.txt filter=tidy\n")
    (folder / ".git" / "info" / "attributes").write_text("")
    return "filter.tidy.process for *.txt"


def annex_filter_replaced(folder: Path, canary: Canary) -> str:
    """Something else where git-annex's own filter should be."""
    program = evil_program(folder, canary, then="cat")
    add_config(folder, ("filter.annex.clean", program), ("filter.annex.smudge", program))
    subprocess.run(["git", "config", "--file", ".git/config", "--unset-all", "filter.annex.process"], cwd=folder)
    with (folder / ".git" / "info" / "attributes").open("a") as attributes:
        attributes.write("* filter=annex\n")
    return "filter.annex.clean that is not git-annex's"


def diff_programs(folder: Path, canary: Canary) -> str:
    """Compares files with a program, or turns them into text with one."""
    program = evil_program(folder, canary, then="cat")
    add_config(folder, ("diff.external", program), ("diff.tidy.textconv", program), ("diff.tidy.command", program))
    with (folder / ".git" / "info" / "attributes").open("a") as attributes:
        attributes.write("* diff=tidy\n")
    return "diff.external and textconv"


def merge_programs(folder: Path, canary: Canary) -> str:
    """Merges files with a program."""
    program = evil_program(folder, canary)
    add_config(folder, ("merge.tidy.driver", program), ("merge.default", "tidy"), ("merge.tool", "tidy"))
    add_config(folder, ("mergetool.tidy.cmd", program), ("difftool.tidy.cmd", program))
    return "merge.tidy.driver"


def aliases(folder: Path, canary: Canary) -> str:
    """Commands by names that are not git's own."""
    for verb in ("annex", "st", "save", "annex-save"):
        add_config(folder, (f"alias.{verb}", f"!{canary.command}"))
    return "alias.*"


def credential_helper(folder: Path, canary: Canary) -> str:
    """Is asked for passwords."""
    add_config(folder, ("credential.helper", f"!{canary.command}"))
    return "credential.helper"


def template_folder(folder: Path, canary: Canary) -> str:
    """A folder whose hooks git init copies."""
    for name in _HOOKS:
        canary.program(folder / "templates" / "hooks" / name, then="exit 0")
    add_config(folder, ("init.templateDir", str(folder / "templates")))
    return "init.templateDir"


def other_programs(folder: Path, canary: Canary) -> str:
    """What is left of git's settings that name programs."""
    program = evil_program(folder, canary)
    names = ("gc.recentObjectsHook", "core.alternateRefsCommand", "trailer.tidy.command", "uploadpack.packObjectsHook")
    add_config(folder, *[(name, program) for name in names], ("submodule.nested.update", f"!{program}"))
    add_config(folder, ("man.viewer", "tidy"), ("man.tidy.cmd", program), ("browser.tidy.cmd", program))
    return "gc.recentObjectsHook and others"


def annex_commands(folder: Path, canary: Canary) -> str:
    """What git-annex runs when it makes content read-only or writable, erases it, or writes a message."""
    for verb in ("freezecontent", "thawcontent", "secure-erase", "pre-commit", "post-update", "pre-init"):
        add_config(folder, (f"annex.{verb}-command", canary.command))
    for verb in ("commitmessage", "http-headers", "youtube-dl"):
        add_config(folder, (f"annex.{verb}-command", evil_program(folder, canary)))
    return "annex.freezecontent-command and others"


def annex_remote_commands(folder: Path, canary: Canary) -> str:
    """What git-annex runs before and after it uses a remote, and to know what it costs."""
    add_config(
        folder, ("remote.shelf.url", str(folder)), ("remote.shelf.annex-uuid", "0" * 8 + "-0000" * 3 + "-" + "0" * 12)
    )
    for verb in ("start", "stop", "cost"):
        add_config(folder, (f"remote.shelf.annex-{verb}-command", f"{canary.command}; echo 1"))
    add_config(folder, ("remote.shelf.annex-externaltype", f"canary; {canary.command}"))
    return "remote.shelf.annex-start-command and others"


def annex_hook_remote(folder: Path, canary: Canary) -> str:
    """A remote of the kind ``hook``, all of whose doings are commands."""
    add_config(
        folder,
        ("remote.shelf.annex-hooktype", "shelf"),
        ("remote.shelf.annex-uuid", _UUID),
    )
    for verb in ("store", "retrieve", "remove", "checkpresent"):
        add_config(folder, (f"annex.shelf-{verb}-hook", canary.command))
    return "annex.shelf-store-hook and others"


def autoenabled_remote(folder: Path, canary: Canary) -> str:
    """A special remote on the git-annex branch that enables itself: ``git-annex-remote-canary``, were it on PATH."""
    canary.program(canary.cage / "bin" / "git-annex-remote-canary")
    canary.settle()
    settings = "autoenable=true encryption=none externaltype=canary name=shelf type=external"
    git_annex_branch_with(folder, {"remote.log": f"{_UUID} {settings} timestamp=1s\n".encode()})
    return "an autoenabled special remote"


def git_annex_branch_with(folder: Path, files: dict[str, bytes]) -> None:
    """Put files on the git-annex branch, beside those that are there."""
    mark = subprocess.run(
        ["git", "rev-parse", "--verify", "-q", "refs/heads/git-annex"], cwd=folder, capture_output=True, text=True
    ).stdout.strip()
    parent = f"from {mark}\n" if mark else ""
    stream = f"commit refs/heads/git-annex\ncommitter x <x> 1 +0000\ndata 6\nupdate\n{parent}".encode()
    for name, content in files.items():
        stream += f"M 100644 inline {name}\ndata {len(content)}\n".encode() + content + b"\n"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream, check=True)


def datalad_procedures(folder: Path, canary: Canary) -> str:
    """Procedures and hooks for results that the dataset's own DataLad settings name."""
    canary.program(folder / ".datalad" / "procedures" / "cfg_yoda")
    canary.program(folder / ".datalad" / "procedures" / "cfg_text2git.sh")
    command = shlex.quote(str(folder / ".datalad" / "procedures" / "cfg_yoda"))
    add_config(
        folder,
        ("datalad.procedures.cfg_text2git.call-format", command),
        ("datalad.result-hook.any.match-json", '{"type": "file"}'),
        ("datalad.result-hook.any.call-json", 'run_procedure {"spec": "cfg_yoda"}'),
        file=".datalad/config",
    )
    return ".datalad/procedures and result hooks"


#: All of the above.
PROGRAMS: tuple[Malice, ...] = (
    every_hook,
    line_added_to_a_known_hook,
    hooks_path,
    fsmonitor,
    fsmonitor_in_worktree_config,
    fsmonitor_included,
    fsmonitor_included_if,
    fsmonitor_in_common_folder,
    fsmonitor_of_a_nested_repository,
    ssh_command,
    remote_programs,
    ext_transport,
    promised_objects,
    pagers,
    editors,
    signing,
    ssh_signing,
    own_filter,
    own_filter_process,
    annex_filter_replaced,
    diff_programs,
    merge_programs,
    aliases,
    credential_helper,
    template_folder,
    other_programs,
    annex_commands,
    annex_remote_commands,
    annex_hook_remote,
    autoenabled_remote,
    datalad_procedures,
)
