"""A real PostgreSQL server on loopback, for as long as the tests need it."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest


def binaries() -> Path | None:
    """The folder of the server's programs."""
    config = shutil.which("pg_config")
    found = [Path(subprocess.check_output([config, "--bindir"], text=True).strip())] if config else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in found if (one / "initdb").exists()), None)


def as_owner(folder: str) -> list[str]:
    """What lets root start a server, which refuses to be root's: the command to become its own user."""
    if os.getuid():
        return []
    try:
        owner = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("run as root, a PostgreSQL server needs the user postgres")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of an empty database."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: install Debian's postgresql-15")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: pip install 'agentkit[postgres]'")
    folder = mkdtemp(prefix="agentkit-postgres-", dir="/tmp")
    become, port, data = as_owner(folder), free_port(), f"{folder}/data"
    try:
        subprocess.run(
            [*become, programs / "initdb", "-A", "trust", "-U", "agentkit", "-N", "-D", data],
            check=True,
            cwd=folder,
            stdout=-3,
        )
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}"
        control = [*become, programs / "pg_ctl", "-D", data, "-w"]
        subprocess.run([*control, "-l", f"{folder}/log", "-o", options, "start"], check=True, cwd=folder, stdout=-3)
        try:
            yield f"postgresql://agentkit:not-a-secret@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd=folder, stdout=-3)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
