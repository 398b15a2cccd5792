#!/usr/bin/env bash
# libcurl 8.23.0, in the wheel of pycurl 7.49.0 (PyPI): an answer in gzip whose compressed data end in the middle, though
# its Content-Length is right, is a success: what could be decoded is given out, and nothing is said of the rest.
# Exits 0 while that is so, and 1 once libcurl says that something is missing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: pycurl==7.49.0
"$folder/venv/bin/python" - <<'PYTHON'
import gzip
import io
import socket
import sys
import threading

import pycurl

page = bytes(range(32, 127)) * 900
packed = gzip.compress(page)[:-40]
server = socket.create_server(("127.0.0.1", 0))


def answer():
    client, _ = server.accept()
    with client:
        client.recv(65536)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode() + packed)


threading.Thread(target=answer, daemon=True).start()
got, status = io.BytesIO(), 0
curl = pycurl.Curl()
curl.setopt(pycurl.URL, f"http://127.0.0.1:{server.getsockname()[1]}/")
curl.setopt(pycurl.NOPROXY, "*")
curl.setopt(pycurl.ACCEPT_ENCODING, "")
curl.setopt(pycurl.TIMEOUT, 20)
curl.setopt(pycurl.WRITEDATA, got)
try:
    curl.perform()
except pycurl.error as error:
    status = error.args[0]
print(f"{pycurl.version.split()[1]}: result {status}, {len(got.getvalue())} of {len(page)} bytes")
if status or len(got.getvalue()) >= len(page):
    print("changed: libcurl says that something is missing")
    sys.exit(1)
print("as stated: a cut gzip body is a success")
PYTHON
