"""Run records: what DataLad's ``run`` writes about a command into the message of the commit that holds its results.

Source: datalad-run(1), "datalad.run.record-*"; commits made by DataLad 0.9 to 1.7.1.
"""

import os
from collections.abc import Mapping
from typing import Any, Final, Self

from engram.model.errors import BadRecord
from engram.model.records import record

PREFIX: Final = "[DATALAD RUNCMD] "
_BELOW: Final = "=== Do not change lines below ===\n"
_ABOVE: Final = "\n^^^ Do not change lines above ^^^"
_SUBJECT_LETTERS = 40
#: A record is a page of text; the longest that is read.
LONGEST_BYTES: Final = 16 << 20
_LONGEST_LIST = 1_000_000
_TEXTS = ("inputs", "extra_inputs", "outputs", "chain")


@record
class RunRecord:
    """A command, and what is known about its run. Paths are relative to *pwd*, that to the dataset.

    >>> record = RunRecord(cmd="wc {inputs}", inputs=("a b.txt",), dsid="0-1")
    >>> RunRecord.parse(record.text) == record
    True
    """

    #: A line for the shell, with placeholders; old records hold a list of words instead.
    cmd: str | tuple[str, ...]
    #: The commits that this is a repetition of, oldest first, hex.
    chain: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    #: Inputs that no placeholder stands for: a container's image.
    extra_inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    #: The folder that the command ran in.
    pwd: str = "."
    #: The id of the dataset that the command ran in; '' if it had none.
    dsid: str = ""
    #: The command's exit code; ``None`` in a record of a run that was only prepared.
    exit: int | None = 0

    @property
    def fields(self) -> dict[str, Any]:
        """The fields as DataLad names them; those it leaves out are left out."""
        fields: dict[str, Any] = {"cmd": self.cmd if isinstance(self.cmd, str) else list(self.cmd), "pwd": self.pwd}
        fields |= {name: list(getattr(self, name)) for name in _TEXTS}
        if self.dsid:
            fields["dsid"] = self.dsid
        if self.exit is not None:
            fields["exit"] = self.exit
        return fields

    @property
    def text(self) -> str:
        """The record as it stands in a message, byte for byte as DataLad prints it."""
        import json  # late: a command that changes nothing leaves no record

        return json.dumps(self.fields, indent=1, sort_keys=True, ensure_ascii=False)

    @property
    def sidecar_name(self) -> str:
        """The name of the file that a record is kept in beside the message. Source: DataLad 1.7.1."""
        import hashlib

        return hashlib.md5(_bytes(self.text), usedforsecurity=False).hexdigest()

    @property
    def sidecar(self) -> bytes:
        """The content of that file, byte for byte as DataLad writes it."""
        import json
        import lzma

        line = json.dumps(self.fields, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        return lzma.compress(_bytes(line + "\n"))

    @property
    def digest(self) -> str:
        """What trust in this record is pinned to: the SHA-256 of its text."""
        import hashlib

        return hashlib.sha256(_bytes(self.text)).hexdigest()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a record. Raises `BadRecord` for what is none, or could not be carried out."""
        return cls.from_fields(_json(text))

    @classmethod
    def from_fields(cls, fields: object) -> Self:
        """A record from its fields; those that are not known are skipped. Raises `BadRecord`."""
        if not isinstance(fields, Mapping):
            raise BadRecord("", "it is no JSON object")
        texts = {name: _texts(fields.get(name) or (), name) for name in _TEXTS}
        dsid, exit_code = fields.get("dsid") or "", fields.get("exit", 0)
        if (
            not isinstance(dsid, str)
            or not _can_be_said(dsid)
            or (type(exit_code) is not int and exit_code is not None)
        ):
            raise BadRecord("", "its dsid is no text, or its exit no number")
        return cls(cmd=_command(fields), pwd=_folder(fields.get("pwd")), dsid=dsid, exit=exit_code, **texts)


@record
class RunMessage:
    """The message of a commit that holds the results of a command."""

    #: What the user said of it, or the beginning of the command.
    subject: str
    #: The record, or the name of the file that holds it.
    record: RunRecord | str

    @classmethod
    def of(cls, message: str) -> Self | None:
        """Find the record in a commit's message; ``None`` when there is none. Raises `BadRecord` for a spoiled one."""
        found = message[len(PREFIX) :] if message.startswith(PREFIX) else ""
        start, end = found.rfind(_BELOW), found.rfind(_ABOVE)
        if start < 0 or end < start + len(_BELOW):
            return None
        fields = _json(found[start + len(_BELOW) : end])
        record = _sidecar_name(fields) if isinstance(fields, str) else RunRecord.from_fields(_first(fields))
        return cls(subject=found[:start].rstrip(), record=record)

    def __str__(self) -> str:
        record = f'"{self.record}"' if isinstance(self.record, str) else self.record.text
        return f"{PREFIX}{self.subject}\n\n{_BELOW}{record}{_ABOVE}\n"


def is_run(message: bytes) -> bool:
    """Whether a commit's message may hold a record: a look at its beginning alone."""
    return message.startswith(PREFIX.encode())


def subject_for(command: str) -> str:
    """What stands in the subject when nobody said anything: the beginning of the command.

    >>> subject_for("x" * 41)
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'
    """
    return command[:_SUBJECT_LETTERS] + ("..." if len(command) > _SUBJECT_LETTERS else "")


def parse_sidecar(content: bytes) -> RunRecord:
    """Read the file that holds a record. Raises `BadRecord`."""
    import lzma

    try:
        text = lzma.LZMADecompressor(memlimit=256 << 20).decompress(content, max_length=LONGEST_BYTES + 1)
    except (lzma.LZMAError, MemoryError, EOFError) as error:
        raise BadRecord("", f"its file does not unpack ({error})") from error
    if len(text) > LONGEST_BYTES:
        raise BadRecord("", f"its file unpacks to more than {LONGEST_BYTES} bytes")
    return RunRecord.from_fields(_json(text.decode("utf-8", "surrogateescape").partition("\n")[0]))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _json(text: str) -> object:
    import json

    if len(text) > LONGEST_BYTES:
        raise BadRecord("", f"it is longer than {LONGEST_BYTES} bytes")
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRecord("", f"it does not parse ({type(error).__name__})") from error
    return found


def _first(fields: object) -> object:
    """A record in a list of one, as very old messages have it, or as it is."""
    return fields[0] if isinstance(fields, list) and len(fields) == 1 else fields


def _sidecar_name(name: str) -> str:
    if len(name) != 32 or not set(name) <= set("0123456789abcdef"):
        raise BadRecord("", f"it is said to be in a file {name[:40]!r}, and such names no record has")
    return name


def _command(fields: Mapping[str, object]) -> str | tuple[str, ...]:
    command = fields.get("cmd")
    if isinstance(command, list):
        command = _texts(command, "cmd")
    if not isinstance(command, str | tuple) or not command:
        raise BadRecord("", "it holds no command")
    if not all(map(_can_be_said, (command,) if isinstance(command, str) else command)):
        raise BadRecord("", "its command holds a NUL, or what is no character")
    return command


def _texts(values: object, name: str) -> tuple[str, ...]:
    if isinstance(values, str):
        values = (values,)
    if not isinstance(values, list | tuple) or len(values) > _LONGEST_LIST:
        raise BadRecord("", f"its {name} are no list")
    if not all(isinstance(value, str) and _can_be_said(value) for value in values):
        raise BadRecord("", f"its {name} are not all texts")
    return tuple(values)


def _can_be_said(text: str) -> bool:
    """Whether a text can be handed to the system: JSON can hold NUL, and halves of characters."""
    try:
        return b"\0" not in _bytes(text)
    except UnicodeEncodeError:
        return False


def _folder(folder: object) -> str:
    """A folder inside the dataset, as the record says it."""
    if folder is None:
        return "."
    if not isinstance(folder, str) or not _can_be_said(folder) or os.path.isabs(folder):
        raise BadRecord("", "its folder (pwd) does not lie in the dataset")
    if os.path.normpath(folder).split("/")[0] == "..":
        raise BadRecord("", "its folder (pwd) does not lie in the dataset")
    return folder
