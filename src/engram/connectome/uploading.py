"""Copies of a snapshot's tables in Google Cloud Storage: sent, read back and held against their digests.

Each object carries the SHA-256 of what was sent, so that it is not sent again. Nothing in the bucket is deleted.

Source of the names of settings: https://developmentseed.org/obstore/latest/api/store/gcs/
"""

import hashlib
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, TypeVar

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import GCSStore

from engram.connectome.writing import Written
from engram.model.errors import BucketUnavailable, NotUploaded, UsageError

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_T = TypeVar("_T")

_ADDRESS = re.compile(r"(?:gs://)?(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?P<folder>(?:/[^/\0-\x1f\x7f]+)*)/*")
#: What an object says about itself: the digest of what was sent.
_DIGEST: Final = "sha256"
#: A part of what is sent stays in memory; smaller files go as one.
_PART_BYTES: Final = 32 << 20
_PARTS_AT_ONCE: Final = 2
#: What nobody keeps in a bucket, and the word by which Google says that there is not even the bucket.
#: Source: https://cloud.google.com/storage/docs/xml-api/reference-status
_NOTHING, _NO_BUCKET = ".engram-asks", "NoSuchBucket"
#: What the library says where it finds no credentials: of a file that it was told to read, and, where there is none, of
#: a machine of Google's, which it asks last and which is not there.
#: Source: object_store, ``src/gcp/credential.rs``
_NO_FILE = re.compile(r"Unable to (?:open|read|decode) service account file(?: from (?P<path>.*?))?: (?P<why>.*)")
_NO_MACHINE = ("metadata.google.internal", "169.254.169.254", "computeMetadata")
_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_LOGIN = "~/.config/gcloud/application_default_credentials.json"
#: The project that pays, where the bucket lets the asker pay.
#: Source: https://cloud.google.com/storage/docs/requester-pays
_PAYER = "x-goog-user-project"


class Bucket:
    """A folder in a bucket: ``<gcs-bucket-dir>/<snapshot tag>/``, as flyem-snapshot has it.

    Credentials are those of the environment, as for other programs of Google's: GOOGLE_APPLICATION_CREDENTIALS, or what
    ``gcloud auth application-default login`` left. STORAGE_EMULATOR_HOST names a server that stands in for Google's.

    Args:
        address: ``gs://bucket/folder``; the scheme may be left out.
        project: the project that pays; '' for none.
        emulator: value of STORAGE_EMULATOR_HOST, '' for Google's own servers.

    Raises:
        UsageError: for what is no address.
        BucketUnavailable: when there are no credentials, or the bucket does not answer.
    """

    def __init__(self, address: str, tag: str, *, project: str = "", emulator: str = "") -> None:
        match = _ADDRESS.fullmatch(address)
        if match is None or {".", ".."} & {*match["folder"].split("/")}:
            raise UsageError(f"{address!r} is no folder in Google Cloud Storage.", "Write it as gs://bucket/folder")
        self._folder = "/".join((*match["folder"].strip("/").split("/"), tag)).lstrip("/")
        self._address = f"gs://{match['bucket']}/{self._folder}"
        try:
            self._store = _store(match["bucket"], {_PAYER: project} if project else {}, emulator)
            heard(self._try)
        except BaseError as error:
            raise BucketUnavailable(self._address, reason_of(error)) from None

    def _try(self) -> None:
        """Ask the bucket something, so that what is wrong shows before hours of work."""
        try:
            obstore.get(self._store, f"{self._folder}/{_NOTHING}")
        except FileNotFoundError as answer:
            if _NO_BUCKET in str(answer):
                raise BucketUnavailable(self._address, "there is no such bucket") from None
        except PermissionDeniedError:  # who may write need not be allowed to read, and is told so when it comes to it
            return

    def address_of(self, file: Written) -> str:
        """Where a file goes."""
        return f"{self._address}/{_name(file)}"

    def upload(self, file: Written, folder: str) -> bool:
        """Send a file of the snapshot in *folder*, unless it is there; whether it had to be sent.

        Raises `NotUploaded`: it is not there, or not as it should be.
        """
        target = f"{self._folder}/{_name(file)}"
        try:
            if heard(lambda: self._is_there(file, target)):
                return False
            heard(lambda: self._send(file, folder, target))
            arrived = heard(lambda: self._digest_of(target))
        except (OSError, BaseError) as error:
            raise NotUploaded(self.address_of(file), reason_of(error)) from None
        if arrived != file.sha256:
            raise NotUploaded(self.address_of(file), "what was read back is not what was sent")
        return True

    def _send(self, file: Written, folder: str, target: str) -> None:
        with open(os.path.join(folder, file.path), "rb") as content:
            obstore.put(
                self._store,
                target,
                content,
                attributes={_DIGEST: file.sha256},
                use_multipart=file.size_bytes > _PART_BYTES,
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )

    def _is_there(self, file: Written, target: str) -> bool:
        try:
            found = obstore.get(self._store, target, options={"head": True})
        except FileNotFoundError:
            return False
        except PermissionDeniedError:  # so a bucket answers about what is not there, to who may not list it
            return False
        return found.meta["size"] == file.size_bytes and found.attributes.get(_DIGEST) == file.sha256

    def _digest_of(self, target: str) -> str:
        digest = hashlib.sha256()
        for chunk in obstore.get(self._store, target).stream(min_chunk_size=1 << 20):
            digest.update(chunk)
        return digest.hexdigest()


def heard(call: Callable[[], _T]) -> _T:
    """What *call* gives or raises, while Ctrl-C is heard: the library hears of none until a silent server is given up.

    What was called then goes on by itself, until it or the program ends.
    """
    answer: Future[_T] = Future()

    def work() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001  # it is raised by who asked
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return answer.result()


def _store(bucket: str, headers: dict[str, str], emulator: str) -> GCSStore:
    options: ClientConfig = {"default_headers": headers}
    if not emulator:
        return GCSStore(bucket, client_options=options)
    base = emulator if "://" in emulator else f"http://{emulator}"
    options["allow_http"] = base.startswith("http://")
    return GCSStore(bucket, config={"base_url": base, "bearer_token": "none"}, client_options=options)


def _name(file: Written) -> str:
    return file.path.rpartition("/")[2]


def reason_of(error: Exception) -> str:
    """Which credentials are missing, in our words; else the first line of what the library says.

    The rest of that is about its own workings.

    >>> reason_of(OSError("Generic GCS error: Unable to open service account file from a.json: No such file"))
    'the credentials in a.json cannot be read: No such file'
    """
    said = str(error).partition("\n")[0].strip()
    if match := _NO_FILE.search(said):
        why = match["why"].partition(" (os error")[0]
        place = f"in {match['path']}" if match["path"] else f"that {_VARIABLE} names"
        return f"the credentials {place} cannot be read: {why}".rstrip(". ")
    if any(one in said for one in _NO_MACHINE):
        return f"there are no credentials: {_VARIABLE} is not set, and there is no {_LOGIN}"
    return said[:300].rstrip(". ")
