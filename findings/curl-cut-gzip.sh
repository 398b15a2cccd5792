#!/usr/bin/env bash
# curl 7.88.1: an answer in gzip whose compressed data end in the middle, though the Content-Length
# is right, is a success (exit code 0): what could be decoded is written out, and nothing is said of the rest.
# Exits 0 while that is so, and 1 once curl says that something is missing.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cat > "$folder/serve.py" <<'PYTHON'
import gzip
import socket
import sys

page = bytes(range(32, 127)) * 900
packed = gzip.compress(page)[:-40]
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], len(page), flush=True)
client, _ = server.accept()
client.recv(65536)
head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\nConnection: close\r\n\r\n"
client.sendall(head.encode() + packed)
client.close()
PYTHON
mkfifo "$folder/said"
python3 "$folder/serve.py" > "$folder/said" &
server=$!
read -r port length < "$folder/said"
status=0
curl -s --noproxy '*' --compressed "http://127.0.0.1:$port/" -o "$folder/page" || status=$?
got=$(wc -c < "$folder/page")
echo "$(curl --version | head -n 1 | cut -d' ' -f1,2): exit code $status, $got of $length bytes"
if [ "$status" -ne 0 ] || [ "$got" -ge "$length" ]; then
  echo "changed: curl says that something is missing"
  exit 1
fi
echo "as stated: a cut gzip body is a success"
