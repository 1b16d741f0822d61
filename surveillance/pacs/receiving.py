"""Receiving: our side of C-STORE, whether images are sent by C-GET, C-MOVE or on their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_STORE

from imaging.errors import ConfigurationError, GraftsiteError
from surveillance.pacs.association import VERIFICATION, Connections
from surveillance.pacs.configuration import Receiver
from surveillance.pacs.node import Keep
from surveillance.pacs.status import DOES_NOT_MATCH, OUT_OF_RESOURCES, SUCCESS
from surveillance.pacs.tls import server_context

SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEG2000,
    JPEGLosslessSV1,
    JPEGLossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    HTJ2KLossless,
    HTJ2K,
)
"""In which a stored image may come; each is asked for by itself, so that nothing is transcoded."""


class Keeping:
    """Answers each C-STORE by handing the file to `keep`; a file is confirmed once it is kept.

    `kept` holds the SOP Instance UIDs of those. What goes wrong on our side (a full disk) is
    remembered in `trouble`, because the protocol only carries a number; the sender is told that
    the file is not stored.
    """

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self.kept: set[str] = set()
        self.trouble: GraftsiteError | None = None

    def __call__(self, event: evt.Event) -> int:
        """Answer one C-STORE with its status."""
        sop = str(cast(C_STORE, event.request).AffectedSOPInstanceUID)
        try:
            wanted = self._keep(sop, event.encoded_dataset())
        except GraftsiteError as error:
            self.trouble = error
            return OUT_OF_RESOURCES
        if not wanted:
            return DOES_NOT_MATCH
        self.kept.add(sop)
        return SUCCESS


@contextmanager
def receiver(
    ae_title: str, local: Receiver, keeping: Keeping, sop_classes: Iterable[str]
) -> Iterator[None]:
    """Accept C-ECHO and C-STORE of some classes from the callers of `local`, while it is open.

    Raises
    ------
    ConfigurationError
        The port cannot be opened, or a certificate not read.
    """
    entity = AE(ae_title)
    entity.require_called_aet = True
    entity.require_calling_aet = list(local.callers)
    entity.add_supported_context(VERIFICATION)
    for sop_class in sorted(sop_classes):
        entity.add_supported_context(sop_class, list(SYNTAXES))
    connections = Connections()
    try:
        entity.start_server(
            (local.bind, local.port),
            block=False,
            ssl_context=server_context(local.tls) if local.tls else None,
            evt_handlers=[(evt.EVT_C_STORE, keeping), (evt.EVT_CONN_OPEN, connections)],
        )
    except OSError as error:
        place = f"{local.bind}:{local.port}"
        raise ConfigurationError("port_taken", place=place, detail=error.strerror) from error
    try:
        yield
    finally:
        entity.shutdown()
        connections.close()
