"""Paths written in files stay inside their folder."""

from pathlib import Path

import pytest

from agentkit.errors import InputError
from agentkit.paths import resolve_ref

REFUSED = [
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\win.ini",
    "a/../../b",
    "%2e%2e/%2e%2e/x",
    "file:///etc/passwd",
    "~/.ssh/id_rsa",
    "CON",
    "aux.txt",
    "x\0.yaml",
    "//host/share",
    "data/....//....//x",
    "",
    ".",
    ".env",
    "a//b",
    "C:\\x",
    "x" * 2000,
    "a\nb",
]


@pytest.mark.parametrize("ref", REFUSED)
def test_a_reference_that_is_no_plain_relative_path_is_refused(tmp_path: Path, ref: str) -> None:
    with pytest.raises(InputError, match="not a plain relative path"):
        resolve_ref(tmp_path, ref)


@pytest.mark.parametrize("ref", ["prompts/solve.md", "a", "with space/ünï.txt", "v1.2/x+y@z,1.md"])
def test_a_plain_reference_leads_into_the_folder(tmp_path: Path, ref: str) -> None:
    assert resolve_ref(tmp_path, ref) == tmp_path.resolve() / ref


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "root" / "symlink_out").symlink_to(tmp_path / "secret")
    (tmp_path / "root" / "folder_out").symlink_to(tmp_path)
    for ref in ("symlink_out", "folder_out/secret"):
        with pytest.raises(InputError, match="leads out of the folder"):
            resolve_ref(tmp_path / "root", ref)


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("x")
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    assert resolve_ref(tmp_path, "link.md").name == "real.md"
