"""A receiver on a socket, which keeps what it gets and answers as it is told; and a verifier of its own."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(Got(self.path, dict(self.headers), body))
        with contextlib.suppress(OSError):
            self.server.answer(self)

    def do_GET(self):
        self.server.received.append(Got(self.path, dict(self.headers), b""))
        self.plain(200)

    def plain(self, status, body=b"ok", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


class Got:
    """One request as it arrived."""

    def __init__(self, path, headers, body):
        self.path, self.body = path, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    @property
    def json(self):
        return json.loads(self.body)

    def is_signed_with(self, secret):
        """As a receiver verifies it: any of the signatures may match."""
        key = base64.b64decode(secret.split("_", 1)[1])
        signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body])
        wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        given = [part.split(",", 1) for part in self.headers["webhook-signature"].split(" ")]
        return any(version == "v1" and value == wanted for version, value in given)


class Receiver(ThreadingHTTPServer):
    """``answers`` holds statuses, or functions of the handler; the last one stands for all that follow."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.received, self.answers = [], [200]
        self.url = f"http://127.0.0.1:{self.server_port}/hook"

    def answer(self, handler):
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(told):
            told(handler)
        else:
            handler.plain(told)

    def handle_error(self, request, client_address):
        """A sender that hung up is what some tests are about."""


@contextlib.contextmanager
def receiver():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
