"""A real server that speaks S3, on loopback (moto); a bucket for the test."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from pyarrow import fs

SECONDS_TO_START = 60


@pytest.fixture(scope="module")
def bucket():
    """Return the address of an empty bucket, as `graftsite batch -o` takes it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/moto-api/")
        endpoint = f"http://127.0.0.1:{port}"
        store = fs.S3FileSystem(
            endpoint_override=endpoint, region="us-east-1", allow_bucket_creation=True
        )
        store.create_dir("graft")
        yield f"s3://graft/STORE?endpoint_override={endpoint.replace(':', '%3A')}&region=us-east-1"
    finally:
        server.terminate()
        server.wait()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def _wait_for(url):
    until = time.monotonic() + SECONDS_TO_START
    while not _answers(url):
        assert time.monotonic() < until, "the object store did not start"
        time.sleep(0.1)


def _answers(url):
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
