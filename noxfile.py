"""`nox` checks everything; `nox -s tests -- -k trace` hands what follows `--` to the tool.

All sessions share one environment, `.nox/rnnviz`: torch alone takes minutes and a gigabyte to install.
"""

import hashlib
import os
import platform
import shutil
import sys
import venv
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".nox" / "rnnviz"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SIDE_BY_SIDE = str(min(os.cpu_count() or 1, 4))  # each of them loads PyTorch: 0.4 GB
CHROMIUM = Path("/usr/bin/chromium")

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests", "browser"]


def run(session: nox.Session, *command: str) -> None:
    """Runs a module of the shared environment, which is made anew when the requirements change."""
    files = sorted(ROOT.glob("requirements*.txt"))
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files) + sys.version.encode()).hexdigest()
    stamp = ENVIRONMENT / "requirements.sha256"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input"]
        session.run(*pip, "-r", str(ROOT / "requirements-dev.txt"), external=True)
        stamp.write_text(wanted, encoding="utf-8")
    session.run(str(PYTHON), "-m", *command, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff's rules and its format."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict."""
    run(session, "mypy", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Numbers and pages, without a browser."""
    run(session, "pytest", "-n", SIDE_BY_SIDE, "tests/unit", "tests/pages", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """The real server in a real Chromium."""
    run(session, "pip", "--version")  # the environment has to be there before Playwright is asked
    if not CHROMIUM.exists():
        install_chromium(session)
    # A worker that is done takes over what waits for another: some of these tests start servers of their own.
    run(session, "pytest", "-n", SIDE_BY_SIDE, "--dist", "worksteal", "tests/browser", *session.posargs)


def install_chromium(session: nox.Session) -> None:
    """Debian's package where this user may install one, else the build that Playwright keeps for itself."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root and shutil.which("apt-get") and platform.freedesktop_os_release()["ID"] == "debian":
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        session.run("apt-get", "-qq", "update", external=True, env=quiet)
        packages = ["chromium", "fonts-noto-cjk"]
        session.run("apt-get", "-qq", "install", "-y", *packages, external=True, env=quiet)
    else:
        run(session, "playwright", "install", *(["--with-deps"] if root else []), "chromium")
