"""What a bucket of S3 keeps of objects that were replaced or removed: asked of the bucket itself.

obstore has no call for it, but it signs addresses with whatever credentials the store has. Whoever asks for a bucket's
root with the question as its query is answered; so another store is made, whose endpoint is that address.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, unquote_plus
from xml.etree.ElementTree import Element, ParseError, fromstring

import httpx2
import obstore
from obstore import exceptions
from obstore.store import S3Store

from lethe.engines.storage.client_options import is_here, proxy, verifies
from lethe.engines.storage.interface import Keeping, StorageFailed

_TIMEOUT_SECONDS: Final = 60
_SIGNED_FOR: Final = timedelta(minutes=5)
_DIRECTORY_BUCKET: Final = "--x-s3"
"""How names of buckets end that cannot keep versions."""
_UNKNOWN_TO_THE_STORE: Final = frozenset({404, 405, 501})
_FORBIDDEN_FROM: Final = 400
_FAILED_FROM: Final = 500


class _Denied(Exception):
    """The bucket does not tell."""


@dataclass(frozen=True, slots=True)
class BucketVersions:
    """The versions below a store's prefix."""

    store: Any = field(repr=False)
    """An `obstore.store.S3Store`."""

    def keeping(self) -> Keeping:
        """Whether the bucket keeps versions, or kept some when it was asked to. Raises StorageFailed."""
        if str(self.store.config["bucket"]).endswith(_DIRECTORY_BUCKET):
            return Keeping.NOTHING
        try:
            answer = self._ask({"versioning": ""})
        except _Denied:
            return Keeping.UNSEEN
        if answer is None or _text(answer, "Status") not in {"Enabled", "Suspended"}:
            return Keeping.NOTHING
        return Keeping.VERSIONS

    def old(self, before: datetime | None) -> int | None:
        """How many old versions stored before an instant the first page that has some lists; None where unseen."""
        try:
            for page in self._pages():
                found = sum(_is_old(version, before) for version in page if _name(version) == "Version")
                if found:
                    return found
        except _Denied:
            return None
        return 0

    def _pages(self) -> Iterator[Element]:
        prefix = (self.store.prefix or "").strip("/")
        question = {"versions": "", "encoding-type": "url", "prefix": f"{prefix}/" if prefix else ""}
        marks: dict[str, str] = {}
        while True:
            page = self._ask(question | marks)
            if page is None:
                return
            yield page
            if _text(page, "IsTruncated") != "true":
                return
            key = _text(page, "NextKeyMarker")
            if _text(page, "EncodingType") == "url":
                key = unquote_plus(key)
            marks = {"key-marker": key, "version-id-marker": _text(page, "NextVersionIdMarker")}

    def _ask(self, question: dict[str, str]) -> Element | None:
        """The bucket's answer; None where the store does not know the question. Raises _Denied, StorageFailed."""
        try:
            address = self._address(question)
            with httpx2.Client(**self._client(address)) as client:
                response = client.get(address)
        except (httpx2.HTTPError, exceptions.BaseError, OSError) as error:
            # The address is signed: whoever reads it may ask for a while, so it is in no error.
            raise StorageFailed(f"ask for versions: {type(error).__name__}") from None
        status = response.status_code
        if status in _UNKNOWN_TO_THE_STORE:
            return None
        if status >= _FAILED_FROM:
            raise StorageFailed(f"ask for versions: the store answers {status}")
        if status >= _FORBIDDEN_FROM:
            raise _Denied
        try:
            return fromstring(response.content)  # noqa: S314 - the store is trusted with the rows themselves
        except ParseError:
            raise StorageFailed("ask for versions: the answer is not XML") from None

    def _address(self, question: dict[str, str]) -> str:
        root = self._signed({})
        query = "&".join(f"{key}={quote(value, safe='')}" for key, value in question.items())
        # The path that obstore appends becomes the value of a parameter that S3 ignores.
        endpoint = f"{root.partition('?')[0].removesuffix('/x')}?{query}&x-id="
        # A bucket that is named by its host needs no path, so nothing is put between the endpoint and ours.
        return self._signed(
            {"endpoint": endpoint, "aws_endpoint_url_s3": endpoint, "virtual_hosted_style_request": True}
        )

    def _signed(self, changes: dict[str, Any]) -> str:
        """The address of an object `x` at the root of such a store, with a signature as its query."""
        config: Any = {**self.store.config, **changes}
        store = S3Store(
            config.pop("bucket"),
            config=config,
            client_options=self.store.client_options,
            credential_provider=self.store.credential_provider,
        )
        return obstore.sign(store, "GET", "x", _SIGNED_FOR)

    def _client(self, address: str) -> dict[str, Any]:
        """Options of the client, as far as the store's own apply to both."""
        options = self.store.client_options or {}
        found: dict[str, Any] = {
            "timeout": _TIMEOUT_SECONDS,
            "follow_redirects": False,
            "trust_env": not is_here(address),
        }
        if not verifies(options):
            found["verify"] = False
        if chosen := proxy(options):
            found["proxy"] = chosen
        return found


def _is_old(version: Element, before: datetime | None) -> bool:
    if _text(version, "IsLatest") == "true":
        return False
    return before is None or datetime.fromisoformat(_text(version, "LastModified")) < before


def _name(element: Element) -> str:
    """The tag without its namespace: stores spell that differently."""
    return element.tag.rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    return next((child.text or "" for child in element if _name(child) == name), "")
