"""The shipped weights are what the fitting script prints, and do on the labelled logs what the documentation says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agentkit.evaluators.planning.attribution.weights import FITTED

DATA = Path(os.environ.get("AGENTKIT_DATA", "nowhere"))
SCRIPTS = Path(__file__).parents[3] / "evals" / "planning"

pytestmark = pytest.mark.skipif(
    not (DATA / "who_and_when").is_dir(), reason="set AGENTKIT_DATA to the folder of recorded data to run this"
)


def printed(script: str, *arguments: str) -> str:
    command = [sys.executable, str(SCRIPTS / script), "--data", str(DATA), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_table_is_what_the_fit_gives() -> None:
    found = {name: float(weight) for name, weight in re.findall(r'"(\w+)": (-?[\d.]+)', printed("fit_attribution.py"))}
    assert found == dict(FITTED)


def test_the_step_is_named_more_often_than_by_any_guess() -> None:
    lines = [
        line for line in printed("attribution.py", "--repeats", "1").partition("agentrx")[0].splitlines() if "[" in line
    ]
    step = {line[:30].strip(): float(re.findall(r"(\d\.\d+) \[", line)[1]) for line in lines}
    ours = step.pop("evidence (cross-validated)")
    assert step.pop("the same, agents renamed") == ours
    assert ours >= 0.4
    assert ours > max(step.values())
