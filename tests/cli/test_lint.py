"""``agentkit lint`` and ``validate --format`` as a person or a code host meets them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]

EXAMPLES = Path(__file__).parents[2] / "docs" / "lint"
WRONG = "schema: agentkit/v1\nname: wrong\nnodes:\n  a: {use: template, whit: {}}\n"

POSITIVE = {"type": "integer", "minimum": 1}
TEXT = {"type": "object", "properties": {"text": {"type": "string", "minLength": 1}}, "required": ["text"]}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {
                    "required": ["uri"],
                    "properties": {"uri": {"type": "string", "pattern": r"^[^\s\\]+$"}},
                },
                "region": {"required": ["startLine"], "properties": {"startLine": POSITIVE, "startColumn": POSITIVE}},
            },
        }
    },
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = {
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "defaultConfiguration": {"properties": {"level": LEVEL}},
    },
}
RESULT = {
    "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
    "properties": {
        "message": TEXT,
        "level": LEVEL,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "locations": {"type": "array", "items": LOCATION, "minItems": 1},
    },
}
DRIVER = {"required": ["name", "rules"], "properties": {"name": {"const": "agentkit"}, "rules": {"items": RULE}}}
RUN = {
    "required": ["tool", "results"],
    "properties": {
        "tool": {"required": ["driver"], "properties": {"driver": DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
    },
}
SARIF = {
    "required": ["version", "runs", "$schema"],
    "properties": {"version": {"const": "2.1.0"}, "runs": {"type": "array", "minItems": 1, "items": RUN}},
}
"""The part of the SARIF 2.1.0 schema that this output uses, with what code hosts ask for besides."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for code in ("ak002", "ak030", "ak033"):
        (tmp_path / f"{code}_fires.yaml").write_text((EXAMPLES / f"{code}_fires.yaml").read_text())
    (tmp_path / "clean.yaml").write_text((EXAMPLES / "ak033_silent.yaml").read_text().replace("ak033_silent", "clean"))
    (tmp_path / "wrong.yaml").write_text(WRONG)
    return tmp_path


def test_findings_are_lines_with_place_severity_and_code(agentkit: Agentkit, folder: Path) -> None:
    done = agentkit("lint", "ak030_fires.yaml", "clean.yaml")
    told = "error AK030: budget.calls: at least 5 calls are needed, and 3 are allowed"
    assert done.stdout == f"ak030_fires.yaml:7:17: {told}\n"
    assert done.stderr == "1 error in 2 files\n"
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["clean.yaml"], 0),
        (["ak033_fires.yaml"], 0),
        (["ak033_fires.yaml", "--strict"], 0),
        (["ak002_fires.yaml"], 0),
        (["ak002_fires.yaml", "--strict"], 1),
        (["ak030_fires.yaml"], 2),
        (["ak030_fires.yaml", "--ignore", "AK030"], 0),
        (["ak002_fires.yaml", "--strict", "--select", "AK030,ak033"], 0),
        (["wrong.yaml", "--ignore", "AK001"], 2),
    ],
)
def test_exit_codes_follow_the_worst_severity(
    arguments: list[str], code: int, agentkit: Agentkit, folder: Path
) -> None:
    assert agentkit("lint", *arguments).returncode == code


def test_a_file_that_does_not_load_is_told_in_the_words_of_validate(agentkit: Agentkit, folder: Path) -> None:
    done = agentkit("lint", "wrong.yaml")
    told = "wrong.yaml:4:22: error AK000: nodes.a.whit: unknown key; did you mean 'with'?"
    assert told in done.stdout.splitlines()


def test_an_unknown_code_is_one_sentence(agentkit: Agentkit, folder: Path) -> None:
    done = agentkit("lint", "clean.yaml", "--select", "AK03")
    assert (done.returncode, done.stderr[:42]) == (2, "error: no lint rule has the code 'AK03'; d")


def sarif_of(done: "subprocess.CompletedProcess[str]") -> Any:
    log = json.loads(done.stdout)
    assert [error.message for error in Draft202012Validator(SARIF).iter_errors(log)] == []
    rules = [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in log["runs"][0]["results"])
    return log["runs"][0]


def test_lint_writes_sarif_with_regions(agentkit: Agentkit, folder: Path) -> None:
    (folder / "with space.yaml").write_text(WRONG)
    run = sarif_of(agentkit("lint", "--format", "sarif", "ak030_fires.yaml", folder / "wrong.yaml", "with space.yaml"))
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert (first["ruleId"], first["level"]) == ("AK030", "error")
    assert place == {"artifactLocation": {"uri": "ak030_fires.yaml"}, "region": {"startLine": 7, "startColumn": 17}}
    uris = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"][1:]}
    assert uris == {(folder / "wrong.yaml").as_uri(), "with%20space.yaml"}


def test_lint_writes_an_empty_log_for_a_clean_file(agentkit: Agentkit, folder: Path) -> None:
    assert sarif_of(agentkit("lint", "--format", "sarif", "clean.yaml"))["results"] == []


def test_validate_writes_sarif_too(agentkit: Agentkit, folder: Path) -> None:
    done = agentkit("validate", "--format", "sarif", "wrong.yaml", "clean.yaml")
    assert done.returncode == 2
    assert {one["ruleId"] for one in sarif_of(done)["results"]} == {"AK000"}
    assert sarif_of(agentkit("validate", "--format", "sarif", "clean.yaml"))["results"] == []


def test_both_write_json(agentkit: Agentkit, folder: Path) -> None:
    found = json.loads(agentkit("lint", "--format", "json", "ak002_fires.yaml").stdout)
    assert {(one["code"], one["severity"], one["line"]) for one in found} >= {("AK002", "warning", 14)}
    assert json.loads(agentkit("validate", "--format", "json", "clean.yaml").stdout) == []
    problems = json.loads(agentkit("validate", "--format", "json", "wrong.yaml").stdout)
    assert {(one["code"], one["path"]) for one in problems} >= {("AK000", "nodes.a.whit")}
