"""What an archive refuses, and what a user is then told: the node, the reason, what to do."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from archives import (
    Orthanc,
    TlsTerminator,
    certificates,
    configuration,
    free_port,
    images_of,
    impatient,
    need_servers,
    node_of,
)
from dicom_files import MR, series
from pynetdicom import AE, build_context, evt

from imaging.errors import NodeError, TransferError
from surveillance.pacs.association import VERIFICATION, associated
from surveillance.pacs.dimse import FIND, GET, MOVE
from surveillance.pacs.node import Instance, Query
from surveillance.pacs.parcel import find_parcels
from surveillance.pacs.push import push
from surveillance.pacs.receiving import SYNTAXES

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
    answers, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.headers.get("Authorization"))
            status, kind, body, length = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  (the name that http.server wants)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port, answers, asked
    server.shutdown()
    thread.join()
    server.server_close()


def dicom_json(*pages):
    """Answers to a search: pages, and an empty one at the end."""
    return [(200, "application/dicom+json", page.encode(), None) for page in (*pages, "[]")]


def web_node(tmp_path, archive, port, more=""):
    more = f"""
[nodes.odd]
kind = "dicomweb"
url = "http://127.0.0.1:{port}"
timeout_s = 5
{more}"""
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
    port, answers, _ = web_server
    answers.append(answer)
    with pytest.raises(NodeError, match=words) as caught:
        web_node(tmp_path, archive, port).echo()
    assert type(caught.value) is kind
    assert "odd" in str(caught.value)


def test_an_archive_that_ignores_a_key_is_not_believed(web_server, archive, tmp_path):
    """It answers with all its studies; without the attribute nobody knows whose they are."""
    port, answers, _ = web_server
    answers += dicom_json('[{"0020000D": {"vr": "UI", "Value": ["1.2"]}}]')
    with pytest.raises(NodeError, match="cannot search by ClinicalTrialSubjectID"):
        web_node(tmp_path, archive, port).studies(Query(subjects=("C08",)))


@pytest.mark.parametrize("uid", ["../../etc", "1.2/3", ""])
def test_a_uid_that_is_none_never_becomes_a_path(web_server, archive, tmp_path, uid):
    port, answers, _ = web_server
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


# Archives that answer what they please ---------------------------------------------------------


def test_a_token_is_shown_to_the_archive(web_server, archive, tmp_path):
    port, answers, asked = web_server
    answers += dicom_json()
    (tmp_path / "token").write_text("abc.def")
    web_node(
        tmp_path, archive, port, f'auth = {{ token = {{ file = "{tmp_path}/token" }} }}'
    ).echo()
    assert asked == ["Bearer abc.def"]


def stored(folder, slices=2):
    parcels, _ = find_parcels(series(folder, slices=slices))
    return parcels


def test_what_stow_refuses_is_named_with_its_reason(web_server, archive, tmp_path):
    port, answers, _ = web_server
    parcels = stored(tmp_path / "study")
    failed = {
        "00081198": {
            "vr": "SQ",
            "Value": [
                {
                    "00081155": {"vr": "UI", "Value": [parcels[1].instance.sop]},
                    "00081197": {"vr": "US", "Value": [0xA900]},
                }
            ],
        }
    }
    answers += [*dicom_json(), (202, "application/dicom+json", json.dumps(failed).encode(), None)]
    result = push(web_node(tmp_path, archive, port), parcels, impatient())
    ((parcel, why),) = result.refused
    assert (parcel, result.sent) == (parcels[1], 1)
    assert "0xA900" in why


def test_one_file_that_spoils_a_portion_does_not_keep_the_others_back(
    web_server, archive, tmp_path
):
    port, answers, _ = web_server
    refusal, taken = (409, "text/plain", b"", None), (200, "application/dicom+json", b"{}", None)
    answers += [*dicom_json(), refusal, taken, refusal]
    result = push(web_node(tmp_path, archive, port), stored(tmp_path / "study"), impatient())
    assert result.sent == 1
    assert [why for _, why in result.refused] == ["HTTP 409"]


def test_a_stow_that_may_not_be_done_is_an_error_of_the_node(web_server, archive, tmp_path):
    port, answers, _ = web_server
    answers += [*dicom_json(), (403, "text/plain", b"", None)]
    with pytest.raises(NodeError, match="HTTP 403"):
        push(web_node(tmp_path, archive, port), stored(tmp_path / "study"), impatient())


@pytest.fixture
def odd(archive, tmp_path):
    """A DIMSE archive whose statuses the test chooses; gives a node of it."""
    servers = []

    def make(handlers, retrieve="get", most=10):
        entity = AE("ODD")
        entity.maximum_associations = most
        for uid in (FIND, GET, MOVE):
            entity.add_supported_context(uid)
        entity.add_supported_context(MR, list(SYNTAXES), scu_role=True, scp_role=True)
        port = free_port()
        servers.append(entity)
        entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
        more = f"""
[nodes.odd]
kind = "dimse"
host = "127.0.0.1"
port = {port}
ae_title = "ODD"
timeout_s = 5
retrieve = "{retrieve}"
"""
        return node_of(tmp_path, archive, "odd", more=more)

    yield make
    for entity in servers:
        entity.shutdown()


INSTANCES = [Instance("1.2", "1.2.3", f"1.2.3.{n}", MR) for n in range(3)]


def nothing_kept(_sop, _content):
    return False


def test_a_search_that_fails_is_told_with_what_the_status_means(odd):
    node = odd([(evt.EVT_C_FIND, lambda _: iter([(0xC311, None)]))])
    with pytest.raises(NodeError, match="odd answered C-FIND with 0xC311"):
        node.instances(["1.2"])


def test_an_archive_without_resources_may_have_some_later(odd):
    node = odd([(evt.EVT_C_FIND, lambda _: iter([(0xA700, None)]))])
    with pytest.raises(TransferError, match="Out of Resources"):
        node.instances(["1.2"])


def test_an_archive_that_is_full_is_told_and_may_have_room_later(odd, tmp_path):
    node = odd([(evt.EVT_C_STORE, lambda _: 0xA700)])
    with pytest.raises(TransferError, match="no room for more images"):
        node.store(stored(tmp_path / "study"), lambda *_: None)


def test_a_file_that_an_archive_refuses_is_told_with_what_the_status_means(odd, tmp_path):
    node = odd([(evt.EVT_C_STORE, lambda _: 0xC000)])
    told = []
    node.store(stored(tmp_path / "study"), lambda _, why: told.append(why))
    assert told == ["0xC000 Cannot Understand"] * 2


def test_a_retrieval_that_cannot_be_done_at_all_is_an_error(odd):
    """C-MOVE to a title the archive does not know."""

    def unknown(_):
        yield (None, None)

    node = odd([(evt.EVT_C_MOVE, unknown)], retrieve="move")
    with pytest.raises(NodeError, match=r"0xA801 .*[Dd]estination"):
        node.fetch(INSTANCES, nothing_kept)


def test_a_retrieval_that_fails_for_each_image_is_an_error_and_not_silence(odd):
    asked = []

    def unable(event):
        asked.append(event.identifier.SOPInstanceUID)
        yield 1
        yield (0xC000, None)

    node = odd([(evt.EVT_C_GET, unable)])
    with pytest.raises(NodeError, match="C-GET with 0xC000"):
        node.fetch(INSTANCES, nothing_kept)
    assert asked[0] == [one.sop for one in INSTANCES]
    assert asked[1:] == [one.sop for one in INSTANCES], "each was asked for by itself"


def test_an_archive_that_takes_no_more_associations_is_busy(odd):
    node = odd([], most=1)
    with (
        associated("odd", "GRAFTSITE", node.address, [build_context(FIND)]),
        pytest.raises(TransferError, match="takes no association now"),
    ):
        node.instances(["1.2"])


def test_an_answer_is_not_taken_away_from_the_one_who_waits_for_it(odd):
    """What pynetdicom's reactor did on a busy machine: a message in the queue was gone."""
    node = odd([])
    with associated("odd", "GRAFTSITE", node.address, [build_context(FIND)]) as association:
        association.dimse.msg_queue.put((1, "an answer"))
        time.sleep(0.2)
        assert association.dimse.msg_queue.get(block=False) == (1, "an answer")


def test_a_broken_association_is_no_empty_answer(odd):
    node = odd([(evt.EVT_C_FIND, _abort)])
    with pytest.raises(TransferError, match="broke off"):
        node.instances(["1.2"])


def _abort(event):
    event.assoc.abort()
    yield 0xFE00, None


def test_an_echo_that_is_not_answered_with_success_is_an_error(archive, tmp_path):
    entity = AE("ODD")
    entity.add_supported_context(VERIFICATION)
    port = free_port()
    entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_ECHO, lambda _: 0x0211)]
    )
    more = f"""
[nodes.odd]
kind = "dimse"
host = "127.0.0.1"
port = {port}
ae_title = "ODD"
timeout_s = 5
retrieve = "get"
"""
    try:
        with pytest.raises(NodeError, match="C-ECHO with 0x0211"):
            node_of(tmp_path, archive, "odd", more=more).echo()
    finally:
        entity.shutdown()
