"""The chapters in the environment that Binder builds: JupyterLab with binder/ and nothing else."""

import asyncio
import json
import os
import re
import secrets
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from ragvsft.tools import notebooks

ROOT = Path(__file__).parent.parent
BINDER = ROOT / "_build" / "binder"
CHAPTERS = [str(path.relative_to(ROOT)) for path in notebooks.find([ROOT / "index.ipynb", ROOT / "chapters"])]
MAX_MEGABYTES = 1000
HANGING_SECONDS = 120
UNRESOLVED_ROLE = re.compile(r"(?<!\$)\{[a-z][\w:+-]*\}`")  # ${name}` is JavaScript
PEAK_MEMORY = """
import resource, sys
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


@dataclass(frozen=True)
class Server:
    """A running JupyterLab, reached as its own front end reaches it."""

    address: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        payload = None if body is None else json.dumps(body)
        request = HTTPRequest(f"http://{self.address}{path}", method, self.headers, payload)
        answer = await AsyncHTTPClient().fetch(request)
        return json.loads(answer.body) if answer.body else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not (BINDER / "installed").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("`make test-binder` makes the environment")
    home, token = tmp_path_factory.mktemp("jupyter"), secrets.token_hex()
    folders = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [BINDER / "bin" / "jupyter-lab", *options, f"--IdentityProvider.token={token}"],
            cwd=ROOT,
            env=os.environ | folders | {"IPYTHONDIR": str(home / "ipython")},
            stdout=log,
            stderr=log,
        )
    try:
        yield Server(wait_for_address(process, home), token)
    finally:
        process.terminate()
        process.wait(30)


def wait_for_address(process: subprocess.Popen[bytes], home: Path) -> str:
    """Host and port that the server wrote down when it was ready."""
    record = home / "runtime" / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + HANGING_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if record.exists() and (text := record.read_text()):
            return f"127.0.0.1:{json.loads(text)['port']}"
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{(home / 'log').read_text()}")


async def execute(channels: WebSocketClientConnection, code: str) -> list[dict[str, Any]]:
    """The kernel's messages about one cell, from its first to its reply and its return to idle."""
    message_id = uuid.uuid4().hex
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    header = {"msg_id": message_id, "msg_type": "execute_request", "version": "5.3", "session": "test"}
    request = {"header": header | {"username": "test"}, "parent_header": {}, "metadata": {}}
    await channels.write_message(json.dumps(request | {"content": content, "channel": "shell"}))
    messages: list[dict[str, Any]] = []
    replied = idle = False
    while not (replied and idle):
        async with asyncio.timeout(HANGING_SECONDS):
            message = json.loads(await channels.read_message() or "")
        if message["parent_header"].get("msg_id") == message_id:
            messages.append(message)
            replied |= message["msg_type"] == "execute_reply"
            idle |= message["content"].get("execution_state") == "idle"
    return messages


async def run(server: Server, chapter: str) -> tuple[list[dict[str, Any]], float, float]:
    """All messages of a chapter's cells, the seconds from opening it, and the kernel's peak memory in MB."""
    started = time.monotonic()
    notebook = await server.ask("GET", f"/api/contents/{chapter}")
    session = await server.ask(
        "POST",
        "/api/sessions",
        {"path": chapter, "name": chapter, "type": "notebook", "kernel": {"name": "python3"}},
    )
    address = f"ws://{server.address}/api/kernels/{session['kernel']['id']}/channels"
    channels = await websocket_connect(HTTPRequest(address, headers=server.headers))
    code = [cell["source"] for cell in notebook["content"]["cells"] if cell["cell_type"] == "code"]
    messages = [message for source in code for message in await execute(channels, source)]
    seconds = time.monotonic() - started
    streams = [message for message in await execute(channels, PEAK_MEMORY) if message["msg_type"] == "stream"]
    channels.close()
    await server.ask("DELETE", f"/api/sessions/{session['id']}")
    return messages, seconds, int(streams[0]["content"]["text"]) / 1e6


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_runs_in_binder(server: Server, chapter: str) -> None:
    with ThreadPoolExecutor() as own_thread:  # a browser test in this process leaves its event loop running
        messages, seconds, megabytes = own_thread.submit(asyncio.run, run(server, chapter)).result()
    print(f"{chapter}: {seconds:.1f} s, {megabytes:.0f} MB")
    contents = [message["content"] for message in messages]
    shown = [content["data"] for content in contents if "data" in content]
    texts = [text for data in shown for kind, text in data.items() if kind.startswith("text/")]
    assert not ["\n".join(content["traceback"]) for content in contents if "traceback" in content]
    assert shown
    assert not [text for text in texts if UNRESOLVED_ROLE.search(text)]
    assert megabytes <= MAX_MEGABYTES
