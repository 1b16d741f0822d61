"""Dicomweb: an archive that speaks DICOMweb (QIDO, WADO and STOW over HTTP)."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import requests
from dicomweb_client import DICOMwebClient
from pydicom import Dataset, dcmwrite
from requests.auth import AuthBase

from imaging.errors import NodeError, TransferError
from imaging.loaders.quiet import quiet
from surveillance.pacs.configuration import BasicAuth, WebAddress
from surveillance.pacs.node import (
    IDENTITY,
    Instance,
    Keep,
    Parcel,
    Query,
    Sent,
    instance_of,
    subjects_of,
)
from surveillance.pacs.node import matching_studies as matching
from surveillance.pacs.parcel import load_parcel
from surveillance.pacs.status import meaning

PAGE = 500
"""Answers asked for at a time; archives cut longer lists."""
POST_BYTES = 32 * 2**20
"""STOW in portions of about this size, so that little is sent again when it breaks off."""
AS_STORED = (("application/dicom", "*"),)
NO_SUCH = 404
_SSL_REASON = re.compile(r"\[SSL: (\w+)\]")
_PASSWORD = {401, 403, 407}
_LATER = {408, 425, 429, 500, 502, 503, 504, 507}
_UNWANTED = {400, 409, 413, 415, 422}
"""What STOW answers when it takes none of what was posted."""

Answers = list[dict[str, dict[str, Any]]]


class Bearer(AuthBase):
    """Puts a token into each request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with the token in it."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(frozen=True)
class Dicomweb:
    """A DICOMweb node; all operations share one HTTP session, so one TLS connection."""

    name: str
    address: WebAddress

    @cached_property
    def _client(self) -> DICOMwebClient:
        for library in ("dicomweb_client", "retrying"):  # they log URLs, with identifiers in them
            logging.getLogger(library).setLevel(logging.CRITICAL)
        client = DICOMwebClient(
            self.address.url.rstrip("/"),
            session=_session(self.address),
            timeout=self.address.timeout_s,
        )
        client.set_http_retry_params(retry=False)  # waiting is ours to do
        return client

    def echo(self) -> None:
        """Ask for one study: that shows the address, the password and the service."""
        with self._named():
            self._client.search_for_studies(limit=1)

    def studies(self, query: Query) -> tuple[str, ...]:
        """Return the Study Instance UIDs that the query finds, sorted."""
        return tuple(sorted(self._found(query)))

    def whose(self, query: Query) -> dict[str, str]:
        """Return the subject of each study that the query finds."""
        return subjects_of(self._found(query, IDENTITY))

    def instances(self, studies: Sequence[str]) -> tuple[Instance, ...]:
        """Return all instances of the studies, sorted."""
        found: set[Instance] = set()
        for study in studies:
            ask = partial(self._client.search_for_instances, study, fields=["SOPClassUID"])
            answers = self._all(ask)
            found |= {instance_of(self.name, study, answer) for answer in answers}
        return tuple(sorted(found))

    def fetch(self, instances: Sequence[Instance], keep: Keep) -> None:
        """Fetch each instance that is still there, in the syntax of storage."""
        for one in instances:
            try:
                with self._named():
                    dataset = self._client.retrieve_instance(
                        one.study, one.series, one.sop, media_types=AS_STORED
                    )
            except NodeError as error:
                if error.values.get("status") == NO_SUCH:
                    continue  # gone since it was listed: for the caller to miss
                raise
            keep(one.sop, _as_file(dataset))

    def store(self, parcels: Sequence[Parcel], sent: Sent) -> None:
        """Send files by STOW, in portions."""
        for portion in _portions(parcels):
            refused = self._post(portion)
            for parcel in portion:
                sent(parcel, refused.get(parcel.instance.sop))

    def _found(self, query: Query, told: Sequence[str] = ()) -> dict[str, Dataset]:
        """Return what the node tells of each study that the query finds."""
        found: dict[str, Dataset] = {}
        search = self._client.search_for_studies
        for keyword, value in query.questions():
            fields = sorted({keyword, *told})
            answers = self._all(partial(search, search_filters={keyword: value}, fields=fields))
            found |= matching(self.name, keyword, value, answers)
        return found

    def _post(self, portion: Sequence[Parcel]) -> dict[str, str]:
        """Return why each refused instance was refused; one that spoils a portion stands alone."""
        datasets = [load_parcel(parcel) for parcel in portion]
        try:
            with self._named(), quiet():
                response = self._client.store_instances(datasets)
        except NodeError as error:
            if error.values.get("status") not in _UNWANTED:
                raise
            if len(portion) == 1:
                return {portion[0].instance.sop: f"HTTP {error.values['status']}"}
            return {sop: why for one in portion for sop, why in self._post([one]).items()}
        failed = response.get("FailedSOPSequence") or ()
        return {str(item.ReferencedSOPInstanceUID): _reason(item) for item in failed}

    def _all(self, ask: Callable[..., Answers]) -> list[Dataset]:
        """Turn pages until one brings nothing new; some archives repeat the first for ever."""
        answers: list[Dataset] = []
        seen: set[str] = set()
        while True:
            with self._named(), quiet():
                page = [Dataset.from_json(one) for one in ask(limit=PAGE, offset=len(answers))]
            new = [one for one in page if one.to_json() not in seen]
            if not new:
                return answers
            seen |= {one.to_json() for one in new}
            answers += new

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn what HTTP and its client raise into errors with the node's name and no URL."""
        try:
            yield
        except requests.HTTPError as error:
            raise self._refusal(error.response) from error
        except requests.exceptions.SSLError as error:
            said = _SSL_REASON.search(str(error))
            detail = said.group(1) if said else _innermost(error)
            raise NodeError("node_tls", node=self.name, detail=detail) from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise TransferError("node_broke_off", node=self.name) from error
        except requests.exceptions.InvalidJSONError as error:
            raise self._nonsense(error) from error
        except requests.RequestException as error:
            detail = _innermost(error)
            raise TransferError("node_unreachable", node=self.name, detail=detail) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._nonsense(error) from error

    def _nonsense(self, error: Exception) -> NodeError:
        """Neither DICOM nor DICOM JSON came back: a login page, another service."""
        detail = f"no DICOMweb answer ({type(error).__name__})"
        return NodeError("node_answer", node=self.name, detail=detail)

    def _refusal(self, response: requests.Response | None) -> NodeError:
        status = 0 if response is None else response.status_code
        if status in _PASSWORD:
            return NodeError("node_password", node=self.name, status=status)
        kind = TransferError if status in _LATER else NodeError
        return kind("node_http", node=self.name, status=status)


def _session(address: WebAddress) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # neither a proxy nor ~/.netrc may decide where images go
    if address.tls:
        session.verify = str(address.tls.ca_file)
        if address.tls.certificate_file:
            own = (address.tls.certificate_file, address.tls.key_file)
            session.cert = tuple(str(file) for file in own if file)  # type: ignore[assignment]
    if isinstance(address.auth, BasicAuth):
        session.auth = (address.auth.user, address.auth.password.reveal())
    elif address.auth:
        session.auth = Bearer(address.auth.token.reveal())
    return session


def _as_file(dataset: Dataset) -> bytes:
    with io.BytesIO() as buffer, quiet():
        dcmwrite(buffer, dataset, enforce_file_format=True)
        return buffer.getvalue()


def _reason(item: Dataset) -> str:
    return meaning("C-STORE", int(item.get("FailureReason") or 0))


def _portions(parcels: Sequence[Parcel]) -> Iterator[list[Parcel]]:
    portion: list[Parcel] = []
    size = 0
    for parcel in parcels:
        if portion and size + parcel.file.size > POST_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(parcel)
        size += parcel.file.size
    if portion:
        yield portion


def _innermost(error: BaseException) -> str:
    """Return the kind of the first cause; texts of the outer ones repeat the whole URL."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    strerror = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(strerror) if isinstance(strerror, str) else type(error).__name__
