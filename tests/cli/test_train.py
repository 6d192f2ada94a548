"""``agentkit train`` as a person without torch meets it; training itself is tested where torch is."""

import importlib.util

import pytest


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed")
@pytest.mark.parametrize("what", ["verifier", "soft-prompt"])
def test_without_torch_it_says_what_to_install(agentkit, tmp_path, what):
    rows = "\n".join(f'{{"question": "q{n}", "answer": "a", "right": {str(n % 2 == 0).lower()}}}' for n in range(20))
    (tmp_path / "rows.jsonl").write_text(rows)
    said = agentkit("train", what, tmp_path / "rows.jsonl", "--model", "folder", "--output", tmp_path / "out")
    assert said.returncode == 2
    assert "agentkit[torch]" in said.stderr


def test_a_row_that_cannot_be_learned_from_is_named_with_its_line(agentkit, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"question": "q", "answer": "a", "right": true}\n{"question": "q"}\n')
    for what, missing in (("verifier", "'answer' and 'right'"), ("soft-prompt", "'target'")):
        said = agentkit("train", what, tmp_path / "rows.jsonl", "--model", "folder", "--output", tmp_path / "out")
        assert said.returncode == 2
        assert f"{tmp_path / 'rows.jsonl'}:2: " in said.stderr
        assert missing in said.stderr
