"""Which files are read, how they are decoded, and why others are not."""

from __future__ import annotations

import codecs
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import InputError
from agentkit.rag import load
from agentkit.rag.load import File, Page, Skipped, decode, files, parse, read

RUSSIAN = "Съешь ещё этих мягких французских булок, да выпей чаю. "


def reasons(place) -> dict[str, str]:
    return {one.path: one.reason for one in files(place) if isinstance(one, Skipped)}


def page(name: str, content: str | bytes) -> Page | Skipped:
    data = content if isinstance(content, bytes) else content.encode()
    return parse(File(path=name, data=data, format=load.FORMATS[name[name.rindex(".") :]]))


def test_text_markdown_and_html_are_read_in_path_order(folder):
    place = folder({"b.md": "# B", "a/z.html": "<p>Z</p>", "a.txt": "A", "README": "R"})
    assert [one.path for one in files(place)] == ["README", "a/z.html", "a.txt", "b.md"]


def test_what_is_skipped_is_named_with_the_reason(folder, monkeypatch):
    monkeypatch.setattr(load, "LARGEST", 100)
    place = folder({
        "empty.txt": "",
        "picture.png": b"\x89PNG",
        "binary.txt": b"\x00\x01\x02",
        "control.md": b"\x01\x02\x03 text",
        "large.txt": "x" * 101,
        ".hidden": "secret",
        ".git/config": "secret",
        "good.txt": "good",
    })  # fmt: skip
    assert reasons(place) == {
        ".git": "hidden",
        ".hidden": "hidden",
        "binary.txt": "binary",
        "control.md": "binary",
        "empty.txt": "empty",
        "large.txt": "larger than 0 MiB",
        "picture.png": "not text, Markdown or HTML by its ending .png",
    }


def test_links_that_leave_the_folder_are_not_followed(folder, tmp_path):
    (tmp_path / "outside.txt").write_text("secret")
    (tmp_path / "elsewhere").mkdir()
    place = folder({"a.txt": "A", "inner/b.txt": "B"})
    os.symlink(tmp_path / "outside.txt", place / "out.txt")
    os.symlink(tmp_path / "elsewhere", place / "out")
    os.symlink(place / "inner", place / "loop")
    os.symlink(place / "nowhere", place / "broken.txt")
    os.symlink(place / "a.txt", place / "same.txt")
    assert reasons(place) == {
        "broken.txt": "a broken link",
        "loop": "a link to a folder",
        "out": "a link that leads out of the folder",
        "out.txt": "a link that leads out of the folder",
    }
    assert [one.path for one in files(place) if isinstance(one, File)] == ["a.txt", "inner/b.txt", "same.txt"]


def test_a_file_that_vanished_is_skipped(folder):
    assert isinstance(read(folder({"a.txt": "A"}), "b.txt"), Skipped)


def test_a_pipe_is_not_opened(folder):
    place = folder({"a.txt": "A"})
    os.mkfifo(place / "pipe.txt")
    assert reasons(place) == {"pipe.txt": "not a regular file"}


@pytest.mark.parametrize("name", ["missing", "file.txt"])
def test_a_folder_that_is_none_is_one_clear_sentence(tmp_path, name):
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(InputError, match=r"folder of documents .* (does not exist|is not a folder)"):
        list(files(tmp_path / name))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("naïve café".encode(), "naïve café"),
        (codecs.BOM_UTF8 + b"marked", "marked"),
        (codecs.BOM_UTF16_LE + "два слова".encode("utf-16-le"), "два слова"),
        ("naïve café".encode("latin-1"), "naïve café"),
        (RUSSIAN.encode("cp1251"), RUSSIAN),
        (RUSSIAN.encode() * 10 + b"\xff", RUSSIAN * 10 + "\ufffd"),
        ('<meta charset="koi8-r">'.encode("koi8-r") + RUSSIAN.encode("koi8-r"), '<meta charset="koi8-r">' + RUSSIAN),
        (b'<meta charset="no-such-thing">caf\xe9', '<meta charset="no-such-thing">café'),
        (b"", ""),
    ],
)
def test_encodings_are_found_out(data, text):
    assert decode(data) == text


@given(st.binary())
def test_decoding_never_fails(data):
    assert isinstance(decode(data), str)


@given(st.text())
def test_utf8_comes_back_as_it_was(text):
    assert decode(text.encode("utf-8", "replace")).removeprefix("\ufeff") == text.encode(
        "utf-8", "replace"
    ).decode().removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("a.md", "# The title #\n\ntext", "The title"),
        ("a.md", "The title\n=========\n\ntext", "The title"),
        ("some-long_name.md", "no heading", "some long name"),
        ("a.txt", "# not a heading", "a"),
        ("a.html", "<title>The &amp; title</title><p>text", "The & title"),
        ("a.html", "<h1>The <i>title</i></h1><p>text", "The title"),
    ],
)
def test_titles(name, content, title):
    found = page(name, content)
    assert isinstance(found, Page)
    assert found.title == title


def test_a_page_without_text_is_skipped():
    assert page("a.html", "<script>alert(1)</script>") == Skipped(path="a.html", reason=load.NO_TEXT)


def test_line_ends_become_one_kind():
    found = page("a.txt", "one\r\ntwo\rthree")
    assert isinstance(found, Page)
    assert found.text == "one\ntwo\nthree"
