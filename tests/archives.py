"""A real Orthanc on loopback, certificates for it, and the configuration files that name it."""

import datetime
import ipaddress
import json
import os
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from surveillance.pacs.configuration import RetryPolicy, load_configuration
from surveillance.pacs.connection import node_named
from surveillance.pacs.retry import Retry

PLUGINS = Path("/usr/share/orthanc/plugins")
NEEDED = [
    Path("/usr/sbin/Orthanc"),
    PLUGINS / "libOrthancDicomWeb.so",
    PLUGINS / "libOrthancGdcm.so",
    Path("/usr/bin/storescp"),
    Path("/usr/bin/storescu"),
    Path("/usr/bin/findscu"),
]
"""Debian: orthanc, orthanc-dicomweb, orthanc-gdcm, dcmtk; a venv may shadow the last one's."""
PASSWORD = "correct horse"  # noqa: S105  (of a server that lives for a minute)


def need_servers():
    missing = [str(path) for path in NEEDED if not path.exists()]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {missing}")
    if missing:
        pytest.skip(f"not installed: {missing}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Orthanc:
    """One server; `kill` is a power cut, `start` brings the same archive back."""

    def __init__(self, folder: Path, **options):
        self.folder = folder
        self.dicom, self.http, self.ours = free_port(), free_port(), free_port()
        settings = {
            "StorageDirectory": str(folder / "db"),
            "IndexDirectory": str(folder / "db"),
            "DicomAet": "ORTHANC",
            "DicomCheckCalledAet": True,
            "DicomPort": self.dicom,
            "HttpPort": self.http,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {"graftsite": PASSWORD},
            "Plugins": [str(path) for path in NEEDED[1:3]],
            "DicomModalities": {
                "graftsite": {"AET": "GRAFTSITE", "Host": "127.0.0.1", "Port": self.ours}
            },
            "DicomWeb": {"Enable": True},
            "SynchronousCMove": True,
        }
        self.settings = folder / "orthanc.json"
        self.settings.write_text(json.dumps(settings | options))
        self.process = None

    def start(self):
        with (self.folder / "orthanc.log").open("a") as log:
            # Without TCP_NODELAY each C-STORE waits 40 ms for nothing.
            self.process = subprocess.Popen(
                ["/usr/sbin/Orthanc", self.settings],
                env={**os.environ, "TCP_NODELAY": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for(lambda: answers(self.dicom) and answers(self.http))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def rest(self, method, path, content=None):
        url = f"http://127.0.0.1:{self.http}{path}"
        login = ("graftsite", PASSWORD)
        done = requests.request(method, url, data=content, auth=login, timeout=10)
        done.raise_for_status()
        return done.json()

    def instances(self):
        return set(self.rest("GET", "/instances"))

    def fill(self, paths):
        """Store files without any code of ours."""
        for path in paths:
            self.rest("POST", "/instances", path.read_bytes())

    def empty(self):
        for patient in self.rest("GET", "/patients"):
            self.rest("DELETE", f"/patients/{patient}")


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def configuration(folder: Path, orthanc: Orthanc, **changes):
    """Write a configuration with three ways to one Orthanc: web, get, move."""
    (folder / "password").write_text(changes.get("password", PASSWORD) + "\n")
    text = f"""
[local]
ae_title = "GRAFTSITE"

[local.receiver]
bind = "127.0.0.1"
port = {orthanc.ours}
callers = ["ORTHANC", "STORESCU"]

[retry]
attempts = {changes.get("attempts", 1)}
first_wait_s = 0.2
longest_wait_s = 1.0

[nodes.web]
kind = "dicomweb"
url = "http://127.0.0.1:{orthanc.http}/dicom-web"
timeout_s = 10
auth = {{ user = "graftsite", password = {{ file = "{folder}/password" }} }}

[nodes.get]
kind = "dimse"
host = "127.0.0.1"
port = {orthanc.dicom}
ae_title = "{changes.get("ae_title", "ORTHANC")}"
timeout_s = 10
retrieve = "get"

[nodes.move]
kind = "dimse"
host = "127.0.0.1"
port = {orthanc.dicom}
ae_title = "ORTHANC"
timeout_s = 10
retrieve = "move"
{changes.get("more", "")}
"""
    path = folder / "graftsite.toml"
    path.write_text(text)
    return path


def certificates(folder: Path):
    """Write a CA and a certificate it signed for 127.0.0.1; return (CA, certificate, key)."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    ca = _certificate(ca_name, ca_name, ca_key.public_key(), ca_key, authority=True)
    own = _certificate(name, ca_name, key.public_key(), ca_key, authority=False)
    pem = serialization.Encoding.PEM
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    contents = {
        "ca.pem": ca.public_bytes(pem),
        "certificate.pem": own.public_bytes(pem),
        "key.pem": key.private_bytes(pem, form, no_password),
    }
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    both = contents["certificate.pem"] + contents["key.pem"]
    (folder / "both.pem").write_bytes(both)  # as Orthanc's HTTPS wants it
    return tuple(folder / file for file in contents)


def _certificate(subject, issuer, public_key, signing_key, *, authority):
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=authority, crl_sign=authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
    )
    return builder.sign(signing_key, hashes.SHA256())


class TlsTerminator:
    """HTTPS before a server that speaks HTTP, as a reverse proxy does in a hospital.

    (The HTTPS of Debian's Orthanc 1.10 resets every connection, curl's too.)
    """

    def __init__(self, certificate: Path, key: Path, http_port: int, ask: Path | None = None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if ask:
            context.load_verify_locations(ask)
            context.verify_mode = ssl.CERT_REQUIRED

        class Relay(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.create_connection(("127.0.0.1", http_port)) as server:
                    try:
                        with context.wrap_socket(self.request, server_side=True) as client:
                            relay(client, server)
                    except OSError:
                        pass  # the test is about clients that break off here

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def relay(client, server):
    """Carry bytes both ways until one side closes."""
    while True:
        ready = [client] if client.pending() else select.select([client, server], [], [])[0]
        for one in ready:
            content = one.recv(65536)
            if not content:
                return
            (server if one is client else client).sendall(content)


def images_of(folder: Path):
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")


def copy_images(paths, folder: Path):
    """Copy files flat, under new names."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(paths):
        shutil.copy(path, folder / f"{number:05d}")
    return folder


def node_of(folder, orthanc, name, **changes):
    return node_named(name, load_configuration(configuration(folder, orthanc, **changes)))


def impatient(sleep=None, attempts=1):
    """A retry that does not wait; `sleep` is what happens instead."""
    policy = RetryPolicy(attempts=attempts, first_wait_s=0.1, longest_wait_s=1.0)
    return Retry(policy, sleep or (lambda _: None), lambda _: None)
