"""Flat tables go into a bucket, too: sent once, read back, and nothing is called sent that is not there."""

import hashlib
import re
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("obstore")

from engram.connectome.uploading import Bucket, reason_of
from engram.connectome.writing import Written, digest_of
from engram.model.errors import BucketUnavailable, ExtraMissing, NotUploaded, UsageError
from engram.model.outcome import Outcome, Status
from engram.testing.processes import Command, started
from engram.workspace.context import Context
from engram.workspace.snapshot_building import SnapshotBuilding
from tests.naive_connectome import Connectome, Point, write_connectome

pytestmark = pytest.mark.integration


@dataclass
class FakeStorage:
    """As much of Google Cloud Storage's XML interface as is asked for.

    Source: https://cloud.google.com/storage/docs/xml-api/reference-methods
    """

    address: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    payers: set[str] = field(default_factory=set)
    #: What every request is answered with instead, 0 for nothing.
    refusal: int = 0
    #: Requests of this kind alone are refused, and how it is said.
    refused: str = ""
    reason: bytes = b"NoSuchBucket"
    #: Turn the bits of what arrives.
    garbles: bool = False
    #: Set once something arrives that is answered only when this, too, is set.
    arrived: threading.Event | None = None
    answers: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    storage: ClassVar[FakeStorage]

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.storage.arrived is not None:
            self.storage.arrived.set()
            self.storage.answers.wait()
        if not self._is_refused():
            name = self._name()
            self.storage.puts.append(name)
            self.storage.payers.add(self.headers.get("x-goog-user-project", ""))
            self.storage.objects[name] = content.swapcase() if self.storage.garbles else content
            self.storage.digests[name] = self.headers["x-goog-meta-sha256"]
            self._answer(200, b"", ETag=f'"{hashlib.md5(content).hexdigest()}"')

    def do_GET(self) -> None:
        if self._is_refused():
            return
        if (content := self.storage.objects.get(self._name())) is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            digest = self.storage.digests[self._name()]
            more = {"Last-Modified": "Sun, 29 Nov 2026 10:00:00 GMT", "x-goog-meta-sha256": digest, "ETag": '"e"'}
            self._answer(200, content, **more)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _name(self) -> str:
        return unquote(urlsplit(self.path).path)

    def _is_refused(self) -> bool:
        storage = self.storage
        if storage.refusal and storage.refused in ("", self.command):
            self._answer(storage.refusal, b"<Error><Code>%s</Code></Error>" % storage.reason)
            return True
        return False

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def storage() -> Iterator[FakeStorage]:
    _Handler.storage = storage = FakeStorage()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        storage.address = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield storage
        server.shutdown()
        thread.join()


@pytest.fixture
def file(tmp_path: Path) -> Written:
    place = tmp_path / "flat-connectome" / "syn points.feather"
    place.parent.mkdir()
    place.write_bytes(b"Some Bytes")
    return Written(
        path="flat-connectome/syn points.feather", rows=1, columns=1, size_bytes=10, sha256=digest_of(str(place))
    )


def bucket(storage: FakeStorage, **more: str) -> Bucket:
    return Bucket("gs://lab-data/releases/", "v1.0", emulator=storage.address, **more)


def test_a_table_goes_below_the_tag_once(storage: FakeStorage, file: Written, tmp_path: Path) -> None:
    place = "/lab-data/releases/v1.0/syn points.feather"
    assert bucket(storage, project="the-lab").upload(file, str(tmp_path))
    assert storage.objects == {place: b"Some Bytes"}
    assert storage.payers == {"the-lab"}
    assert bucket(storage).address_of(file) == "gs://lab-data/releases/v1.0/syn points.feather"
    assert not bucket(storage).upload(file, str(tmp_path))
    assert storage.puts == [place]


def test_another_content_of_the_same_size_is_sent_again(storage: FakeStorage, file: Written, tmp_path: Path) -> None:
    bucket(storage).upload(file, str(tmp_path))
    storage.digests = dict.fromkeys(storage.digests, "0" * 64)
    assert bucket(storage).upload(file, str(tmp_path))


def test_what_arrives_otherwise_is_not_called_sent(storage: FakeStorage, file: Written, tmp_path: Path) -> None:
    storage.garbles = True
    with pytest.raises(NotUploaded, match="read back"):
        bucket(storage).upload(file, str(tmp_path))


@pytest.mark.parametrize("status", [401, 404])
def test_a_bucket_that_does_not_answer_is_told_before_the_build(storage: FakeStorage, status: int) -> None:
    storage.refusal = status
    with pytest.raises(BucketUnavailable, match=r"gs://lab-data/releases/v1\.0 cannot be uploaded into"):
        bucket(storage)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.json", "", r"the credentials in \S+none\.json cannot be read: No such file or directory"),
        (
            "text.json",
            "secret",
            "the credentials that GOOGLE_APPLICATION_CREDENTIALS names cannot be read: expected value",
        ),
    ],
)
def test_credentials_that_cannot_be_read_are_named(
    name: str, content: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content:
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / name))
    with pytest.raises(BucketUnavailable, match=says) as told:
        Bucket("gs://lab-data/releases", "v1.0")
    assert "secret" not in told.value.what
    assert "gcloud auth application-default login" in told.value.next_step


def test_where_credentials_were_looked_for_is_told() -> None:
    """Last of all a machine of Google's is asked, and that it is not there tells nobody anything."""
    said = (
        "Generic GCS error: Error performing token request: Error performing GET"
        " http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token?audience=https%3A%2F%2F"
        "www.googleapis.com%2Foauth2%2Fv4%2Ftoken in 2.7s, after 10 retries, max_retries: 10 - HTTP error"
    )
    assert reason_of(OSError(said)) == (
        "there are no credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, and there is no"
        " ~/.config/gcloud/application_default_credentials.json"
    )
    assert reason_of(OSError("Generic GCS error: it rains.\n\nDebug source: …")) == "Generic GCS error: it rains"


def test_who_may_not_read_is_told_when_it_comes_to_it(storage: FakeStorage, file: Written, tmp_path: Path) -> None:
    storage.refusal, storage.refused, storage.reason = 403, "GET", b"AccessDenied"
    with pytest.raises(NotUploaded):  # it may be there, but nobody can prove it
        bucket(storage).upload(file, str(tmp_path))
    assert storage.puts


def test_a_refused_upload_is_told(storage: FakeStorage, file: Written, tmp_path: Path) -> None:
    there = bucket(storage)
    storage.refusal, storage.refused = 403, "PUT"
    with pytest.raises(NotUploaded):
        there.upload(file, str(tmp_path))


@pytest.mark.parametrize(
    "address", ["gs://", "gs://B/x", "s3://lab-data/x", "gs://lab-data/../x", "gs://lab-data/a\nb"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="Google Cloud Storage"):
        Bucket(address, "v1.0", emulator="127.0.0.1:1")


SMALL = Connectome(
    points=tuple(
        Point(x=place, y=0, z=0, kind=kind, conf=0.9, body=body, big="A", small=None, compartment="axon")
        for place, kind, body in ((1, "PreSyn", 5), (2, "PostSyn", 6))
    ),
    partners=((0, 1),),
)


def build(config: Path, storage: FakeStorage) -> list[Outcome]:
    context = Context(folder=str(config.parent), environment={"STORAGE_EMULATOR_HOST": storage.address})
    building = SnapshotBuilding(context)
    return list(building.build(config.name, output=str(config.parent / "out"), memory="512MB", threads=1))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = write_connectome(SMALL, tmp_path / "made")
    given = config.read_text()
    assert "flat-connectome: {" in given
    config.write_text(given.replace("flat-connectome: {", "flat-connectome: {gcs-bucket-dir: gs://lab-data/r, "))
    return config


def test_a_build_uploads_its_flat_tables_once(storage: FakeStorage, config: Path) -> None:
    sent = {one.item: one for one in build(config, storage) if one.action == "upload"}
    folder = config.parent / "out" / "flat-connectome"
    assert {Path(name).name for name in storage.objects} == {path.name for path in folder.iterdir()}
    assert all(content == (folder / Path(name).name).read_bytes() for name, content in storage.objects.items())
    assert {one.status for one in sent.values()} == {Status.OK}
    assert sum(one.moved_bytes for one in sent.values()) == sum(map(len, storage.objects.values()))
    again = [one for one in build(config, storage) if one.action == "upload"]
    assert {one.status for one in again} == {Status.NOT_NEEDED}


def test_ctrl_c_ends_a_build_whose_bucket_is_silent(storage: FakeStorage, config: Path) -> None:
    """It was heard when the library had given the server up, three minutes later."""
    storage.arrived = threading.Event()
    words = ("snapshot", "build", "-c", config.name, "-o", "out", "--no-plots")
    environment = {"STORAGE_EMULATOR_HOST": storage.address}
    call = (sys.executable, "-m", "engram", *words)
    try:
        with started(Command(arguments=call, folder=config.parent, environment=environment)) as running:
            assert storage.arrived.wait(60)
            ended = running.end(signal.SIGINT, patience_s=20)
    finally:
        storage.answers.set()
    assert ended.exit_code == 128 + signal.SIGINT
    assert "Interrupted." in ended.errors
    assert (config.parent / "out" / "provenance.json").exists()


def test_nothing_is_built_for_a_bucket_that_is_not_there(storage: FakeStorage, config: Path) -> None:
    storage.refusal = 404
    with pytest.raises(BucketUnavailable, match="no such bucket"):
        build(config, storage)
    assert not (config.parent / "out").exists()


def test_what_could_not_be_uploaded_is_told_and_the_snapshot_is_whole(storage: FakeStorage, config: Path) -> None:
    storage.garbles = True
    failed = [one for one in build(config, storage) if one.failed]
    assert {one.error for one in failed} == {"NotUploaded"}
    assert (config.parent / "out" / "provenance.json").exists()


def test_without_the_extra_one_line_names_it(
    storage: FakeStorage, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "engram.connectome.uploading")
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ExtraMissing, match=re.escape("pip install '.[gcs]'")):
        build(config, storage)
