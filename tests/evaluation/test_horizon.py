"""Horizons from rows of verdicts, and the curve."""

import math
from xml.etree import ElementTree

import pytest

from agentkit.errors import InputError
from agentkit.evaluation.curves import survival_svg
from agentkit.evaluation.horizon import as_json, lifetimes, measure, table
from agentkit.statistics import Lifetime


def rows(model: str, failing: int, of: int = 20) -> list[dict[str, object]]:
    return [
        {"model": model, "task": place % 10, "steps": 6, "first_error": 2 if place < failing else None}
        for place in range(of)
    ]


def test_rows_become_runs_by_model():
    found = lifetimes([*rows("a", 1, 2), {"steps": 4, "findings": [{"step": 3}, {"step": 1}]}])
    assert found["a"] == [Lifetime(3, True, "0"), Lifetime(6, False, "1")]
    assert found["all"] == [Lifetime(2, True, ("row", 2))]


def test_rows_without_steps_or_score_say_nothing():
    with pytest.raises(InputError, match="no row says how many 'steps'"):
        lifetimes([{"steps": 0, "first_error": None}, {"steps": 3, "status": "error"}, 7, {"steps": True}])


def test_the_better_agent_has_the_longer_horizon():
    groups = lifetimes([*rows("weak", 15), *rows("strong", 2)])
    weak, strong = (measure(name, groups[name], resamples=50) for name in ("weak", "strong"))
    assert (weak.h50.value, strong.h50.value) == (3, math.inf)
    assert weak.rate.value > strong.rate.value
    assert weak.hazards[1].failed == 15
    shown = table([weak, strong])
    assert shown.index("strong") < shown.index("weak")
    assert "beyond" in shown
    assert as_json(strong)["h50"]["value"] is None
    assert measure("weak", groups["weak"], resamples=50) == weak


def test_an_agent_that_never_fails_has_no_law():
    perfect = measure("<perfect>", lifetimes(rows("p", 0))["p"], resamples=20)
    assert (perfect.law, perfect.shape, perfect.h50_constant.value) == (None, None, math.inf)
    root = ElementTree.fromstring(survival_svg([perfect]))
    assert "<perfect> (20 runs)" in [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
