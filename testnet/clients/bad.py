"""Requests that no client of good will sends, byte by byte: each must get the right status and a
sentence, or its connection closed, in bounded time. One line for each; exits 1 where one fails."""

import json
import socket
import sys
import time

host, port = sys.argv[1].rsplit(":", 1)
model = sys.argv[2]
failures = 0


def exchange(data, timeout=10.0, pause=None):
    """The status and the body that come back; 0 where the connection was closed without a word."""
    with socket.create_connection((host, int(port)), timeout=timeout) as link:
        if pause is None:
            link.sendall(data)
        else:
            for byte in data:
                try:
                    link.sendall(bytes([byte]))
                except OSError:
                    break
                time.sleep(pause)
        answer = b""
        try:
            while piece := link.recv(65536):
                answer += piece
                head, found, body = answer.partition(b"\r\n\r\n")
                if found:
                    fields = dict(
                        line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
                    if len(body) >= int(fields.get(b"content-length", b"-1")) >= 0:
                        break
        except ConnectionResetError:
            pass
    if not answer:
        return 0, ""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body.decode("utf-8", "replace")


def post(body, path="/v1/completions", headers="", length=None):
    body = body if isinstance(body, bytes) else body.encode()
    count = len(body) if length is None else length
    return (f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {count}\r\n{headers}\r\n").encode() + body


def expect(name, data, statuses, word="", timeout=10.0, **how):
    global failures
    start = time.monotonic()
    try:
        status, body = exchange(data, timeout=timeout, **how)
    except (TimeoutError, OSError) as error:
        status, body = -1, repr(error)
    good = status in statuses and word in body
    failures += not good
    sentence = body
    try:
        error = json.loads(body)["error"]
        sentence = error["message"] if isinstance(error, dict) else error
    except (ValueError, KeyError, TypeError):
        pass
    print(f"{'ok   ' if good else 'FAIL '} {name}: {status} in {time.monotonic() - start:.1f} s: {sentence[:150]}")


fine = json.dumps({"model": model, "prompt": "a", "max_tokens": 1})
expect("a good request", post(fine), {200}, "choices")
expect("broken JSON", post('{"model":'), {400}, "JSON")
expect("no JSON at all", post("hello"), {400}, "JSON")
expect("an empty body", post(""), {400}, "JSON")
expect("a list for a body", post("[1,2]"), {400}, "must be an object")
expect("null for a body", post("null"), {400})
expect("invalid UTF-8", post(b'{"model":"' + b"\xff\xfe" + b'","prompt":"a"}'), {400})
expect("half a surrogate pair", post('{"model":"%s","prompt":"\\ud800"}' % model), {400, 200})
expect("a NUL in the prompt", post('{"model":"%s","prompt":"a\\u0000b","max_tokens":1}' % model), {200, 400})
expect("wrong types", post(json.dumps({"model": model, "prompt": "a", "max_tokens": "many"})), {400}, "whole number")
expect("a number too large", post('{"model":"%s","prompt":"a","max_tokens":1e400}' % model), {400})
expect("an integer too large", post('{"model":"%s","prompt":"a","max_tokens":99999999999999999999}' % model), {400})
expect("nested a thousand deep", post('{"model":"%s","prompt":%s"a"%s}' % (model, "[" * 1000, "]" * 1000)), {400})
expect("unknown model", post(json.dumps({"model": "nothing", "prompt": "a"})), {404}, "nothing")
expect("an absurd prompt", post(json.dumps({"model": model, "prompt": "a " * 200_000})), {400}, "context")
expect("more than the context", post(json.dumps({"model": model, "prompt": "a", "max_tokens": 1_000_000})), {400}, "context")
expect("the same, streamed", post(json.dumps({"model": model, "prompt": "a", "max_tokens": 1_000_000, "stream": True})), {400}, "context")
expect("a token that is none", post(json.dumps({"model": model, "prompt": [4_000_000_000]})), {400}, "vocabulary")
expect("a body of 2 MiB", post(b" " * (2 << 20)), {413}, "larger")
expect("a length of 2 GiB that never comes", post("{}", length=2 << 30), {413, 400})
expect("a path that is not there", b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", {404}, "/nowhere")
expect("another method", b"DELETE /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", {404, 405})
expect("a foreign host", b"GET /v1/models HTTP/1.1\r\nHost: example.org\r\n\r\n", {403}, "example.org")
expect("a foreign page", post(fine, headers="Origin: https://example.org\r\n"), {403}, "Origin")
expect("two lengths", post(fine, headers="Content-Length: 3\r\n"), {400, 0})
expect("a length and chunks", post(fine, headers="Transfer-Encoding: chunked\r\n"), {400, 0})
expect("a space before the colon", b"GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n", {400, 0})
expect("a folded header", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", {400, 0})
expect("a bare line feed in a header", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\nB: c\r\n\r\n", {400, 0, 200})
expect("a negative length", post("", length=-1), {400, 0})
expect("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, {400, 0})
expect("HTTP/9", b"GET / HTTP/9.9\r\n\r\n", {400, 505, 0})
expect("a head of 200 KiB", b"GET /health HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", {400, 413, 431, 0})
expect("schema: a keyword that cannot be kept", post(json.dumps({
    "model": model, "messages": [{"role": "user", "content": "a"}], "response_format": {
        "type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "integer", "minimum": 3}}}}),
    path="/v1/chat/completions"), {400}, "schema.minimum")

# Slow clients: others are served while they dawdle, and they are let go of.
slow = []
for _ in range(20):
    link = socket.create_connection((host, int(port)))
    link.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n")
    slow.append(link)
expect("a good request beside twenty that never end", post(fine), {200}, "choices")
for link in slow:
    link.close()
start = time.monotonic()
link = socket.create_connection((host, int(port)), timeout=100)
link.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
try:
    ended = link.recv(65536)
except (ConnectionResetError, TimeoutError) as error:
    ended = error
took = time.monotonic() - start
good = took < 75 and not isinstance(ended, TimeoutError)
failures += not good
print(f"{'ok   ' if good else 'FAIL '} a body that never comes is let go of after {took:.0f} s: {ended!r:.120}")

# A thousand idle connections are more than may be: the peer waits with accepting, and lives on.
idle = []
for _ in range(1_000):
    link = socket.socket()
    link.settimeout(5)
    try:
        link.connect((host, int(port)))
        idle.append(link)
    except OSError:
        link.close()
        break
for link in idle:
    link.close()
time.sleep(0.5)
expect(f"a good request after {len(idle)} idle connections", post(fine), {200}, "choices", timeout=30)
sys.exit(1 if failures else 0)
