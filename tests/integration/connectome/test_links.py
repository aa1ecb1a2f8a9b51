"""A view of Neuroglancer that reports link bodies into may lie behind a link: it is asked for once, and is no file."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from engram.connectome.building import digests_of
from engram.connectome.config.outputs import Report, ReportSet
from engram.connectome.config.records import Config
from engram.connectome.fetching import address_of, fetched
from engram.connectome.neuroglancer import LARGEST_LINKED_BYTES, Views, link_to_bodies
from engram.model.errors import BadTables, Unreadable

pytestmark = pytest.mark.integration

VIEW = json.dumps({"selectedLayer": {"layer": "bodies"}, "layers": [{"name": "bodies", "type": "segmentation"}]})
WHAT = "neuroglancer view of reports on primary"


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, tuple[int, bytes, dict[str, str]]]]
    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, content, headers = self.pages.get(self.path, (404, b"", {}))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    _Handler.asked = []
    _Handler.pages = {
        "/view.json": (200, VIEW.encode(), {}),
        "/moved.json": (302, b"", {"Location": "/view.json"}),
        "/away.json": (302, b"", {"Location": "file:///etc/passwd"}),
        "/text": (200, b"no view", {}),
        "/large": (200, VIEW.encode() + b" " * LARGEST_LINKED_BYTES, {}),
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def reports_with(view: str) -> Config:
    """A configuration that asks for nothing but reports with this view."""
    reports = ReportSet(roiset="primary", reports=(Report(name="all"),), neuroglancer_base_state=view)
    outputs = Config().outputs
    return Config(outputs=type(outputs)(connectivity_reports=(reports,)))


@pytest.mark.parametrize("page", ["/view.json", "/moved.json"])
def test_what_is_behind_a_link_is_as_a_file(web: str, page: str, tmp_path: Path) -> None:
    (tmp_path / "view.json").write_text(VIEW)
    assert link_to_bodies(web + page) == link_to_bodies(str(tmp_path / "view.json"))
    assert digests_of(reports_with(web + page), Views())[WHAT] == hashlib.sha256(VIEW.encode()).hexdigest()


def test_one_build_asks_once_and_the_next_one_again(web: str) -> None:
    config = reports_with(f"{web}/view.json")
    views = Views()
    digests_of(config, views)
    views.link_to_bodies(f"{web}/view.json")
    assert _Handler.asked == ["/view.json"]
    digests_of(config, Views())
    assert _Handler.asked == ["/view.json"] * 2


def test_two_builds_in_one_process_do_not_share_what_they_read(web: str) -> None:
    """A view that changes between them stays the old one for the first build, to its end."""
    link, first, second = f"{web}/view.json", Views(), Views()
    before = digests_of(reports_with(link), first)
    _Handler.pages["/view.json"] = (200, VIEW.replace("bodies", "cells").encode(), {})
    after = digests_of(reports_with(link), second)
    assert before != after
    assert "cells" not in first.link_to_bodies(link)
    assert "cells" in second.link_to_bodies(link)


@pytest.mark.parametrize(("page", "problem"), [("/text", "it is no JSON"), ("/large", "larger than 256 KiB")])
def test_what_is_no_view_is_told(web: str, page: str, problem: str) -> None:
    with pytest.raises(BadTables, match=problem):
        digests_of(reports_with(web + page), Views())


@pytest.mark.parametrize("page", ["/nothing.json", "/away.json"])
def test_a_link_that_leads_nowhere_is_told(web: str, page: str) -> None:
    with pytest.raises(Unreadable, match=page):
        digests_of(reports_with(web + page), Views())


@pytest.mark.parametrize("link", ["http://127.0.0.1:9/view.json", "ftp://127.0.0.1/view.json", "file:///etc/passwd"])
def test_an_address_that_is_no_web_page_is_told(link: str) -> None:
    with pytest.raises(Unreadable):
        digests_of(reports_with(link), Views())


def test_no_more_is_read_than_a_view_may_have(web: str) -> None:
    assert len(fetched(f"{web}/large", 10)) == 11


@pytest.mark.parametrize("link", ["gs://lab/v 1.json", "https://viewer.example/#!gs://lab/v 1.json"])
def test_a_bucket_is_asked_by_its_web_address(link: str) -> None:
    assert address_of(link) == "https://storage.googleapis.com/lab/v%201.json"
