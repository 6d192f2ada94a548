"""Recorded runs of public sets: all are read, solved ones raise next to no alarm, and labels count from 0."""

import gzip
import os
from pathlib import Path

import pytest

from agentkit.evaluators.planning.tool_calls import ToolCalls
from agentkit.traces import calls, provenance, read

DATA = Path(os.environ.get("AGENTKIT_DATA", "nowhere"))
SETS = {
    "tau-bench": DATA / "tau_bench" / "gpt-4o-airline.jsonl.gz",
    "agentrx": DATA / "agentrx" / "tau_retail_failed_labelled.jsonl",
    "who-and-when": DATA / "who_and_when" / "algorithm-generated.jsonl",
}


def recorded(name):
    if not SETS[name].is_file():
        pytest.skip("set AGENTKIT_DATA to the folder of recorded data to run this")
    data = SETS[name].read_bytes()
    return read(gzip.decompress(data) if SETS[name].suffix == ".gz" else data)


@pytest.mark.parametrize("name", SETS)
def test_every_run_is_read_with_its_calls_answered_and_a_step_a_message(name):
    for trace in recorded(name):
        assert trace.source == name
        assert trace.task
        assert all(call.answer is not None for call in calls(trace)[:-1])
        assert all("message" not in step.metadata for step in trace.steps)
        assert all(link.source < link.step for link in provenance(trace).links)


def test_solved_runs_raise_next_to_no_alarm():
    solved = [trace for trace in recorded("tau-bench") if trace.outcome]
    alarms = [trace.id for trace in solved if ToolCalls().judge(trace).findings]
    assert len(alarms) <= len(solved) // 20, alarms


def test_labelled_steps_are_those_of_the_agent_that_is_blamed():
    labels = [(trace, one) for trace in recorded("agentrx") for one in trace.metadata["failures"]]
    blamed = [(trace, one) for trace, one in labels if one["failed_agent"] == "Assistant"]
    right = sum(trace.steps[one["step"]].agent == "assistant" for trace, one in blamed)
    assert right >= 0.9 * len(blamed)
    assert all(trace.steps[one["step"]].origin == one["step_number"] for trace, one in labels)
