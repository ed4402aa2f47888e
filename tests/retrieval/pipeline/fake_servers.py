"""Small HTTP servers on this machine that answer as Qdrant, an embedding server and a chat model do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, str, Any], tuple[int, Any]]


@contextmanager
def serve(answer: Answer) -> Iterator[str]:
    """The address of a server whose `answer(method, path, body)` gives a status and JSON or raw text."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            status, content = answer(self.command, self.path.split("?")[0], body)
            raw = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_PUT = do_POST = do_DELETE = handle_any

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class FakeQdrant:
    """Collections, points, filters and exact search of Qdrant's REST interface, as far as they are used."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] | None = None
        self.indexes: list[str] = []
        self.points: dict[str, dict[str, Any]] = {}
        self.filters: list[Any] = []

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        route = (method, path.removeprefix("/collections/ragvsft"))
        if route == ("GET", "/exists"):
            return self.ok({"exists": self.settings is not None})
        if route == ("PUT", ""):
            self.settings = body
            return self.ok(True)
        if route == ("GET", ""):
            return self.ok(self.info())
        if route == ("PUT", "/index"):
            self.indexes.append(body["field_name"])
            return self.ok(self.done())
        if route == ("PUT", "/points"):
            self.points |= {point["id"]: point for point in body["points"]}
            return self.ok(self.done())
        if route == ("POST", "/points/delete"):
            self.points = {k: p for k, p in self.points.items() if not self.matches(p, body["filter"])}
            return self.ok(self.done())
        if route == ("POST", "/points/scroll"):
            points = [{"id": k, "payload": p["payload"]} for k, p in sorted(self.points.items())]
            return self.ok({"points": points, "next_page_offset": None})
        if route == ("POST", "/points/query"):
            self.filters.append(body["filter"])
            found = [
                self.scored(p, body["query"]["nearest"])
                for p in self.points.values()
                if self.matches(p, body["filter"])
            ]
            return self.ok({"points": sorted(found, key=lambda p: -p["score"])[: body["limit"]]})
        return 404, {"status": {"error": f"no such route: {method} {path}"}}

    @staticmethod
    def ok(result: Any) -> tuple[int, Any]:
        return 200, {"result": result, "status": "ok", "time": 0.0}

    @staticmethod
    def done() -> dict[str, Any]:
        return {"operation_id": 1, "status": "completed"}

    @staticmethod
    def matches(point: dict[str, Any], chosen: Any) -> bool:
        for condition in chosen["must"]:
            value, match = point["payload"][condition["key"]], condition["match"]
            wanted = match.get("any", [match.get("value")])
            if not set(value if isinstance(value, list) else [value]) & set(wanted):
                return False
        return True

    @staticmethod
    def scored(point: dict[str, Any], query: list[float]) -> dict[str, Any]:
        score = sum(a * b for a, b in zip(point["vector"], query, strict=True))
        return {"id": point["id"], "version": 1, "score": score, "payload": point["payload"]}

    def info(self) -> dict[str, Any]:
        assert self.settings is not None
        return {
            "status": "green",
            "optimizer_status": "ok",
            "segments_count": 1,
            "points_count": len(self.points),
            "payload_schema": {},
            "config": {
                "params": self.settings,
                "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
                "optimizer_config": {
                    "deleted_threshold": 0.2,
                    "vacuum_min_vector_number": 1000,
                    "default_segment_number": 0,
                    "flush_interval_sec": 5,
                },
            },
        }
