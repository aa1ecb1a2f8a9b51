"""Small texts behind links: read from the web, and never more of them than people write."""

from http.client import HTTPException
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
)

_WEB = ("http", "https")
#: Where objects of a bucket that everybody may read are.
#: Source: https://cloud.google.com/storage/docs/access-public-data
_BUCKETS = "https://storage.googleapis.com/"
_PATIENCE_S = 30.0
#: No others: a redirection never leads to a file.
_HANDLERS = (
    *(ProxyHandler, HTTPHandler, HTTPSHandler),
    *(HTTPDefaultErrorHandler, HTTPErrorProcessor, HTTPRedirectHandler),
)


def is_link(place: str) -> bool:
    """Whether something is read from the web, and not from the disk."""
    return "://" in place


def address_of(link: str) -> str:
    """Where the text behind a link is. Raises `OSError` for a link that leads nowhere.

    >>> address_of("gs://lab/v1/view.json")
    'https://storage.googleapis.com/lab/v1/view.json'
    >>> address_of("https://viewer.example/#!gs://lab/view.json")
    'https://storage.googleapis.com/lab/view.json'
    """
    _, mark, target = link.partition("#!")
    target = target if mark else link
    scheme, _, rest = target.partition("://")
    if scheme == "gs":
        return _BUCKETS + quote(rest)
    if scheme not in _WEB or not urlsplit(target).hostname:
        raise OSError(f"{target!r} is no link that begins with https:// or gs://")
    return target


def fetched(link: str, most_bytes: int) -> bytes:
    """The bytes behind a link; one byte more than *most_bytes* when there are more. Raises `OSError`."""
    opener = OpenerDirector()
    for handler in _HANDLERS:
        opener.add_handler(handler())
    try:
        with opener.open(address_of(link), timeout=_PATIENCE_S) as answer:
            return bytes(answer.read(most_bytes + 1))
    except (HTTPException, ValueError) as error:
        raise OSError(f"the answer is none: {error}") from error
