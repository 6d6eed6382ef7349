"""A stand-in for W&B's server on this machine: takes runs, fails, hangs, or goes away."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789abcdef" * 3  # long enough to be taken for one


class Server(ThreadingHTTPServer):
    """`mode` is well, broken (500) or mute; `histories` holds the rows of each run that arrived."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, mode: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mode, self.requests = mode, []
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.states: dict[str, int] = {}  # exit code by run
        self.bodies = b""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


@contextmanager
def serving(mode: str) -> Iterator[Server]:
    server = Server(mode)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.requests.append(self.path)
        self.server.bodies += body
        if self.server.mode == "mute":
            time.sleep(60)
        if self.server.mode == "broken":
            self._send(500, b"")
        elif self.path == "/graphql":
            self._send(200, json.dumps({"data": self._data(json.loads(body))}).encode())
        else:
            if self.path.endswith("/file_stream"):
                self._keep(self.path.split("/")[-2], json.loads(body))
            self._send(200, b"{}")

    do_GET = do_POST = do_PUT = _answer

    def _data(self, query: dict[str, Any]) -> dict[str, Any]:
        given = query.get("variables") or {}
        match query.get("operationName"):
            case "Viewer":
                return {"viewer": {"id": "1", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}
            case "UpsertBucket":
                project = {"id": "p", "name": given.get("project"), "entity": {"id": "e", "name": "me"}}
                bucket = {"id": "b", "name": given.get("name"), "displayName": given.get("displayName")}
                bucket |= {"config": given.get("config") or "{}", "historyLineCount": 0, "project": project}
                return {"upsertBucket": {"bucket": bucket, "inserted": True}}
            case "CreateRunFiles":
                files = [{"name": name, "uploadUrl": f"{self.server.address}/file/{name}"} for name in given["files"]]
                return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
            case "ServerFeaturesQuery":
                return {"serverInfo": {"features": []}}
            case "OrganizationCoreWeaveOrganizationID":
                return {"entity": {"organization": {"coreWeaveOrganizationId": ""}}}
        return {}

    def _keep(self, run: str, body: dict[str, Any]) -> None:
        lines = (body.get("files") or {}).get("wandb-history.jsonl", {}).get("content", [])
        self.server.histories.setdefault(run, []).extend(json.loads(line) for line in lines)
        if body.get("complete"):
            self.server.states[run] = body.get("exitcode", 0)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""
