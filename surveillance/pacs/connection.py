"""Connection: from a node's name in the configuration to the node itself."""

from __future__ import annotations

from surveillance.pacs.configuration import Configuration, DimseAddress
from surveillance.pacs.dicomweb import Dicomweb
from surveillance.pacs.dimse import Dimse
from surveillance.pacs.node import Node


def node_named(name: str, configuration: Configuration) -> Node:
    """Return the node; nothing is sent before it is asked something.

    Raises
    ------
    UsageError
        There is no node of that name.
    """
    address = configuration.address_of(name)
    if isinstance(address, DimseAddress):
        return Dimse(name, address, configuration.local)
    return Dicomweb(name, address)
