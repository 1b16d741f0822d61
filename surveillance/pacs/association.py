"""Association: one conversation with a DIMSE node, and why there is none when there is none."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext

from imaging.errors import NodeError, TransferError
from surveillance.pacs.configuration import DimseAddress
from surveillance.pacs.tls import client_context

VERIFICATION = "1.2.840.10008.1.1"
CONTEXTS_MAX = 128
"""PS3.8: presentation contexts carry odd numbers up to 255."""


class Connections:
    """The sockets of associations, opened without delay and closed for certain.

    Nagle's algorithm would wait 40 ms at every message of a few packets. And pynetdicom leaves
    a socket open when the other side is gone before it.
    """

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def __call__(self, event: evt.Event) -> None:
        """Take a connection that was just opened."""
        connection = event.assoc.dul.socket
        if connection and connection.socket:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(connection.socket)

    @property
    def were_opened(self) -> bool:
        """Whether any connection came about."""
        return bool(self._sockets)

    def close(self) -> None:
        """Close what is still open."""
        for one in self._sockets:
            one.close()


@contextmanager
def associated(
    node: str,
    ae_title: str,
    address: DimseAddress,
    contexts: Sequence[PresentationContext],
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    handlers: Sequence[evt.EventHandlerType] = (),
) -> Iterator[Association]:
    """Hold an association, released at the end, aborted when something goes wrong.

    Raises
    ------
    TransferError
        The node cannot be reached, or says that it is busy.
    NodeError
        It rejects the association, or all that it is to be about; or TLS does not come about.
    """
    connections = Connections()
    opening = (evt.EVT_CONN_OPEN, connections)
    ask = partial(_associate, ae_title, address, contexts, roles, [opening, *handlers])
    association = ask()
    if _is_undecided(association) and connections.were_opened:
        # pynetdicom 3.0.4 overlooks an answer that comes faster than it looks for it.
        association = ask()
    if not association.is_established:
        connections.close()
        raise _why_not(node, address, association)
    try:
        with _undisturbed(association):
            yield association
            association.release()
    except BaseException:
        association.abort()
        raise
    finally:
        connections.close()


def _associate(
    ae_title: str,
    address: DimseAddress,
    contexts: Sequence[PresentationContext],
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation],
    handlers: Sequence[evt.EventHandlerType],
) -> Association:
    entity = AE(ae_title)
    entity.connection_timeout = entity.acse_timeout = address.timeout_s
    entity.dimse_timeout = entity.network_timeout = address.timeout_s
    tls = (client_context(address.tls), address.host) if address.tls else None
    return entity.associate(
        address.host,
        address.port,
        contexts=list(contexts),
        ae_title=address.ae_title,
        ext_neg=list(roles),
        tls_args=tls,
        evt_handlers=list(handlers),
    )


@contextmanager
def _undisturbed(association: Association) -> Iterator[None]:
    """Keep pynetdicom's reactor from taking responses away from those who wait for them.

    pynetdicom 3.0.4 pauses it for each request, but takes it for paused a moment too early: on a
    busy machine one response in some hundred was lost, and C-STORE waited for it until its
    timeout; of C-FIND an answer would be missing. It only serves requests, and as the one who
    asks we get none; so it stays paused as long as the association is used.
    """
    checkpoint = association._reactor_checkpoint
    checkpoint.clear()
    while not association._is_paused:
        time.sleep(0.001)
    checkpoint.set = lambda: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        del checkpoint.set
        checkpoint.set()


def _is_undecided(association: Association) -> bool:
    """Whether the node has neither accepted nor rejected anything."""
    decided = association.is_established or association.is_rejected
    return not (decided or association.rejected_contexts)


def _why_not(node: str, address: DimseAddress, association: Association) -> NodeError:
    if association.is_rejected:
        return _rejection(node, association)
    if association.rejected_contexts:
        asked = sorted({UID(c.abstract_syntax or "").name for c in association.rejected_contexts})
        return NodeError("node_no_service", node=node, service=", ".join(asked))
    return _diagnosis(node, address)


def _rejection(node: str, association: Association) -> NodeError:
    said = association.acceptor.primitive
    reason = said.reason_str if said else "no reason given"
    if said and said.result == 2:  # transient: busy
        return TransferError("node_busy", node=node, reason=reason)
    return NodeError("node_rejected", node=node, reason=reason)


def _diagnosis(node: str, address: DimseAddress) -> NodeError:
    """Connect once more by hand: the protocol's state machine does not say what went wrong."""
    timeout_s = min(address.timeout_s, 5.0)
    try:
        plain = socket.create_connection((address.host, address.port), timeout_s)
    except OSError as error:
        detail = error.strerror or type(error).__name__
        return TransferError("node_unreachable", node=node, detail=detail)
    with plain:
        if address.tls is None:
            return _silence(node, plain)
        try:
            with client_context(address.tls).wrap_socket(plain, server_hostname=address.host):
                return TransferError("node_silent", node=node)
        except OSError as error:  # ssl.SSLError is one
            reason = getattr(error, "verify_message", None) or error.strerror
            return NodeError("node_tls", node=node, detail=reason)


def _silence(node: str, plain: socket.socket) -> NodeError:
    """Tell a node that is silent from one that waits for TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(plain):
            return NodeError("node_wants_tls", node=node)
    except ssl.SSLError as error:
        # A node that answers TLS by an alert speaks it, but wants more, such as our certificate.
        if "ALERT" in (error.reason or ""):
            return NodeError("node_wants_tls", node=node)
    except OSError:
        pass
    return TransferError("node_silent", node=node)
