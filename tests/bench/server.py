"""Start a server for a bench on a free loopback port, and end it by its own process id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLAIN = Path(__file__).resolve().parent / "plain_app"
APP = ROOT / "app.py"
BARE = PLAIN / "bare.py"
WRITTEN_PLAINLY = PLAIN / "plain.py"


@dataclass(frozen=True)
class Server:
    """A running server. `cpu()` and `memory()` add up what the kernel knows about its processes."""

    url: str
    pid: int
    log: Path
    serving: tuple[int, ...]  # the process that was started, and those of its children that answer as well

    def cpu(self) -> float:
        """Processor seconds used by all threads so far, those that ended too (nanosecond clock).

        Of the processes that answer: those that train are not counted.
        """
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self.serving)

    def memory(self) -> dict[str, int]:
        """Bytes: `Rss`, `Pss`, and `Own` (private pages, clean and dirty) from /proc's smaps_rollup."""
        found = dict.fromkeys(("Rss", "Pss", "Own"), 0)
        for pid in self.serving:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
            kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
            kilobytes["Own"] = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
            found = {name: size + kilobytes[name] * 1024 for name, size in found.items()}
        return found

    def errors(self) -> list[str]:
        """Lines of its log that speak of an exception."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "Error" in line or "Traceback" in line]


def _helpers(pid: int) -> list[int]:
    children: list[str] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            children += task.read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, command in commands.items() if b"ui.server.processes" in command]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(script: Path, patience: float = 90.0) -> Iterator[Server]:
    """Run `streamlit run script` until the block ends. Raises RuntimeError with its log when it does not
    start.
    """
    port = free_port()
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": "127.0.0.1",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [f"--{name}={value}" for name, value in options.items()]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, env=dict(os.environ)
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, log, patience)
            yield Server(url, process.pid, log, (process.pid, *_helpers(process.pid)))
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
