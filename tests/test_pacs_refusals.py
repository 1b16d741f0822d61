"""What an archive refuses, and what a user is then told: the node, the reason, what to do."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from archives import (
    Orthanc,
    TlsTerminator,
    certificates,
    configuration,
    images_of,
    need_servers,
    node_of,
)

from imaging.errors import NodeError, TransferError
from surveillance.pacs.node import Query

VISIT = Path(__file__).parents[1] / "sample_dicom/subjects/C08/visit1"

# pynetdicom 3.0.4 leaves the socket of a failed connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def refused(command, tmp_path, archive, node, **changes):
    config = configuration(tmp_path, archive, **changes)
    told = command("echo", node, "--config", config, expect=5)
    assert told.err.startswith(f"graftsite: Node {node} ")
    to = tmp_path / "in"
    command("pull", node, "--study", "1.2.3", "--config", config, "--to", to, expect=5)
    assert command("push", node, VISIT, "--config", config, expect=5).err == told.err
    return told.err


def test_the_right_names_are_answered(archive, tmp_path, command):
    for node in ("web", "get"):
        config = configuration(tmp_path, archive)
        assert (
            command("echo", node, "--config", config, expect=0).out
            == f"{node} is there and answers.\n"
        )


def test_a_wrong_ae_title_is_named_as_the_reason(archive, tmp_path, command):
    said = refused(command, tmp_path, archive, "get", ae_title="NOBODY")
    assert "Called AE title not recognised" in said


def test_a_wrong_password_is_named_as_the_reason_and_not_shown(archive, tmp_path, command):
    said = refused(command, tmp_path, archive, "web", password="hunter2")  # noqa: S106
    assert "HTTP 401" in said
    assert "hunter2" not in said


def test_a_node_that_is_not_there_is_named_with_the_reason(tmp_path, command):
    nobody = Orthanc(tmp_path)  # never started
    for node in ("get", "web"):
        assert "Connection refused" in refused(command, tmp_path, nobody, node)


def test_a_web_server_that_is_no_archive_is_told_from_one(archive, tmp_path, command):
    more = f"""
[nodes.other]
kind = "dicomweb"
url = "http://127.0.0.1:{archive.http}/app"
timeout_s = 5
auth = {{ user = "graftsite", password = {{ file = "{tmp_path}/password" }} }}

[nodes.wrong]
kind = "dimse"
host = "127.0.0.1"
port = {archive.http}
ae_title = "ORTHANC"
timeout_s = 5
retrieve = "get"
"""
    config = configuration(tmp_path, archive, more=more)
    assert "HTTP 404" in command("echo", "other", "--config", config, expect=5).err
    said = command("echo", "wrong", "--config", config, expect=5).err
    assert "without a DICOM answer" in said


@pytest.fixture
def web_server():
    """A server whose answers the test chooses; gives its port and the answers still to come."""
    answers = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, kind, body, length = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port, answers
    server.shutdown()
    thread.join()
    server.server_close()


def dicom_json(*pages):
    """Answers to a search: pages, and an empty one at the end."""
    return [(200, "application/dicom+json", page.encode(), None) for page in (*pages, "[]")]


def web_node(tmp_path, archive, port):
    more = f"""
[nodes.odd]
kind = "dicomweb"
url = "http://127.0.0.1:{port}"
timeout_s = 5
"""
    return node_of(tmp_path, archive, "odd", more=more)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((200, "text/html", b"<html>Please log in</html>", None), NodeError, "no DICOMweb answer"),
        ((503, "text/plain", b"", None), TransferError, "HTTP 503"),
        ((418, "text/plain", b"", None), NodeError, "HTTP 418"),
        ((200, "application/json", b"[", 1000), TransferError, "broke off"),
    ],
)
def test_an_odd_answer_of_a_web_server_is_an_error_with_the_nodes_name(
    web_server, archive, tmp_path, answer, kind, words
):
    port, answers = web_server
    answers.append(answer)
    with pytest.raises(NodeError, match=words) as caught:
        web_node(tmp_path, archive, port).echo()
    assert type(caught.value) is kind
    assert "odd" in str(caught.value)


def test_an_archive_that_ignores_a_key_is_not_believed(web_server, archive, tmp_path):
    """It answers with all its studies; without the attribute nobody knows whose they are."""
    port, answers = web_server
    answers += dicom_json('[{"0020000D": {"vr": "UI", "Value": ["1.2"]}}]')
    with pytest.raises(NodeError, match="cannot search by ClinicalTrialSubjectID"):
        web_node(tmp_path, archive, port).studies(Query(subjects=("C08",)))


@pytest.mark.parametrize("uid", ["../../etc", "1.2/3", ""])
def test_a_uid_that_is_none_never_becomes_a_path(web_server, archive, tmp_path, uid):
    port, answers = web_server
    study = f'"0020000D": {{"vr": "UI", "Value": ["{uid}"]}}'
    answers += dicom_json(f'[{{{study}, "00100020": {{"vr": "LO", "Value": ["P"]}}}}]')
    with pytest.raises(NodeError, match="UID"):
        web_node(tmp_path, archive, port).studies(Query(patients=("P",)))


def tls_nodes(name, ca, folder, dimse=None, https=None, host="127.0.0.1"):
    """Tables of two nodes, `<name>_dimse` and `<name>_web`, that trust one CA."""
    return f"""
[nodes.{name}_dimse]
kind = "dimse"
host = "{host}"
port = {dimse}
ae_title = "ORTHANC"
timeout_s = 10
retrieve = "get"
tls = {{ ca_file = "{ca}" }}

[nodes.{name}_web]
kind = "dicomweb"
url = "https://{host}:{https}/dicom-web"
timeout_s = 10
tls = {{ ca_file = "{ca}" }}
auth = {{ user = "graftsite", password = {{ file = "{folder}/password" }} }}
"""


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """An archive behind TLS, and its CA; each test gets the configuration of good and bad nodes."""
    need_servers()
    folder, other = tmp_path_factory.mktemp("tls"), tmp_path_factory.mktemp("other")
    ca, certificate, key = certificates(folder)
    stranger, _, _ = certificates(other)
    server = Orthanc(
        folder,
        DicomTlsEnabled=True,
        DicomTlsCertificate=str(certificate),
        DicomTlsPrivateKey=str(key),
        DicomTlsTrustedCertificates=str(ca),
        DicomTlsRemoteCertificateRequired=False,
    )
    server.start()
    with TlsTerminator(certificate, key, server.http) as https:
        ports = {"dimse": server.dicom, "https": https.port}
        nodes = tls_nodes("good", ca, folder, **ports)
        nodes += tls_nodes("stranger", stranger, folder, **ports)
        nodes += tls_nodes("renamed", ca, folder, **ports, host="localhost")
        plain = f"http://127.0.0.1:{https.port}"
        nodes += f'[nodes.plain_web]\nkind = "dicomweb"\nurl = "{plain}"\ntimeout_s = 10\n'
        yield configuration(folder, server, more=nodes)
    server.kill()


def test_images_travel_both_ways_over_tls(tls, tmp_path, command):
    command("push", "good_dimse", VISIT, "--config", tls, expect=0)
    for way in ("good_web", "good_dimse"):
        to = ("--to", tmp_path / way, "--config", tls)
        command("pull", way, "--subject", "C08", *to, expect=0)
        pulled = [path for path in images_of(tmp_path / way) if path.suffix == ".dcm"]
        assert len(pulled) == len(images_of(VISIT))


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ("get", "speaks TLS"),
        ("plain_web", "cannot be reached"),
        ("stranger_dimse", "certificate"),
        ("stranger_web", "CERTIFICATE_VERIFY_FAILED"),
        ("renamed_dimse", "Hostname mismatch"),
        ("renamed_web", "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_where_both_ends_do_not_mean_the_same_tls_the_reason_is_said(tls, command, node, reason):
    said = command("echo", node, "--config", tls, expect=5).err
    assert f"Node {node}" in said or f"with node {node}" in said
    assert reason in said


def test_tls_to_a_node_that_speaks_none_is_said(archive, tmp_path, command):
    ca, _, _ = certificates(tmp_path)
    more = tls_nodes("plain", ca, tmp_path, dimse=archive.dicom, https=archive.http)
    config = configuration(tmp_path, archive, more=more)
    for node in ("plain_dimse", "plain_web"):
        said = command("echo", node, "--config", config, expect=5).err
        assert f"TLS with node {node}" in said
