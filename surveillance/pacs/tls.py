"""TLS: contexts for both ends; certificates are always checked, host names by the caller too."""

from __future__ import annotations

import ssl
from pathlib import Path

from imaging.errors import ConfigurationError
from surveillance.pacs.configuration import ClientTls, ServerTls


def client_context(tls: ClientTls) -> ssl.SSLContext:
    """Return the context of a caller, who checks the certificate and the name of the other side.

    Raises
    ------
    ConfigurationError
        A certificate or key cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _trust(context, tls.ca_file)
    if tls.certificate_file:
        _show(context, tls.certificate_file, tls.key_file)
    return context


def server_context(tls: ServerTls) -> ssl.SSLContext:
    """Return the context of a receiver; with `ca_file` a caller must show a certificate.

    Raises
    ------
    ConfigurationError
        A certificate or key cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(context, tls.certificate_file, tls.key_file)
    if tls.ca_file:
        _trust(context, tls.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _trust(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError("certificate_unreadable", file=ca_file) from error


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigurationError("certificate_unreadable", file=certificate) from error
