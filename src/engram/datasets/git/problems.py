"""What the readers of git's files cannot answer themselves, so that git has to be asked."""


class NotUnderstood(Exception):
    """A valid repository uses something that is not understood here. Nothing was changed: git can do it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        #: What it was, in a few words: ``"split index"``.
        self.reason = reason


class MissingObject(Exception):
    """An object that no loose file, pack or alternate holds (in a partial clone git would fetch it)."""

    def __init__(self, oid: bytes) -> None:
        super().__init__(oid.hex())
        #: The object's 20 raw bytes.
        self.oid = oid
