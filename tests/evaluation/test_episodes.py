"""Graphs that play: a whole plan, step by step, with tools; rows that grow; what many episodes say."""

import json
from pathlib import Path
from typing import Any

import pytest

from agentkit import Kit
from agentkit.environments.play import read_call
from agentkit.errors import InputError, RequestRefusedError
from agentkit.evaluation.episode_rows import Rows, Setting, row_of, summary
from agentkit.evaluation.episodes import Mode, Played, act, play, read_action, read_plan, trace
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Sample, ToolCall

ASK = """
schema: agentkit/v1
name: player
inputs: {question: string}
outputs: {answer: act.text}
models: {small: fake/x}
nodes:
  act:
    use: model
    with: {prompt: [{user: "{{question}}"}]}
    in: {question: inputs.question}
"""

AGENT = """
schema: agentkit/v1
name: player
inputs: {question: string}
outputs: {answer: act.answer, calls: act.tool_calls}
models: {small: fake/x}
nodes:
  act:
    use: agent
    with: {tools: [environment], prompt: [{user: "{{question}}"}], steps: 60}
    in: {question: inputs.question}
"""

SETTING = Setting(environment="tower_of_hanoi", options={"discs": 3}, model="scripted", graph="player", mode="steps")


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(home=tmp_path, installed=False)


async def played(
    kit: Kit, folder: Path, mode: Mode, script: Any, text: str = ASK, name: str = "tower_of_hanoi", **options: Any
) -> list[Played]:
    (folder / "player.yaml").write_text(text)
    graph = kit.graph(folder / "player.yaml", models={"small": ScriptedModel(script=script)})
    seeds = options.pop("seeds", [0])
    how = {key: options.pop(key) for key in ("stop_at_error", "answer") if key in options}
    return [one async for one in play(kit.environment(name, **options), graph, seeds=seeds, mode=mode, **how)]


async def test_a_graph_that_answers_rightly_step_by_step_solves_the_task(kit: Kit, tmp_path: Path) -> None:
    best = kit.environment("tower_of_hanoi", discs=3).solve(0)
    script = [f"Let me see.\nAction: {action}" for action in best]
    (one,) = await played(kit, tmp_path, "steps", script, discs=3)
    assert (one.success, one.first_error, one.actions) == (True, None, tuple(best))
    assert one.usage.calls == len(best)


async def test_a_refused_step_is_told_and_may_be_mended(kit: Kit, tmp_path: Path) -> None:
    best = kit.environment("tower_of_hanoi", discs=2).solve(0)
    asked: list[str] = []

    def script(request: GenerateRequest) -> str:
        asked.append(request.messages[-1].content)
        return "move disc 9 from A to B" if len(asked) == 2 else best[len(asked) - 1 - (len(asked) > 2)]

    (one,) = await played(kit, tmp_path, "steps", script, discs=2)
    assert (one.success, one.first_error) == (True, 1)
    assert one.outcomes[1].code == "unknown_name"
    assert "there is no disc '9'" in asked[2]


async def test_a_whole_plan_ends_at_its_first_error(kit: Kit, tmp_path: Path) -> None:
    best = list(kit.environment("tower_of_hanoi", discs=3).solve(0))
    plan = "\n".join(f"{place}. {action}" for place, action in enumerate([*best[:3], best[2], *best[3:]], 1))
    (one,) = await played(kit, tmp_path, "plan", [f"Here is the plan:\n```\n{plan}\n```"], discs=3)
    assert (one.first_error, one.success, len(one.actions)) == (3, False, 4)


async def test_a_plan_that_stops_short_is_judged_at_its_end(kit: Kit, tmp_path: Path) -> None:
    best = kit.environment("tower_of_hanoi", discs=3).solve(0)
    (one,) = await played(kit, tmp_path, "plan", ["\n".join(best[:4])], discs=3)
    assert (one.first_error, one.outcomes[-1].code) == (4, "goal_unmet")


@pytest.mark.parametrize(
    ("name", "options"), [("retail", {"wishes": 2}), ("vending", {"days": 14}), ("river_crossing", {})]
)
async def test_an_agent_acts_through_tools(kit: Kit, tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    best = kit.environment(name, **options).solve(0)
    replies: list[Any] = []
    for place, action in enumerate(best):
        tool, arguments = read_call(action) if "{" in action else ("act", {"action": action})
        made = ToolCall(id=f"c{place}", name=tool, arguments=json.dumps(arguments))
        replies.append(Sample(text="", tool_calls=(made,), finish_reason="tool_calls"))
    (one,) = await played(kit, tmp_path, "tools", [*replies, "All is done."], AGENT, name, **options)
    assert (one.success, one.first_error, one.actions) == (True, None, tuple(best))


async def test_a_refused_call_fails_the_tool_and_is_told(kit: Kit, tmp_path: Path) -> None:
    wrong = ToolCall(id="c0", name="find_user", arguments='{"email": "nobody@mail.example"}')
    script = [Sample(text="", tool_calls=(wrong,), finish_reason="tool_calls"), "I give up."]
    (one,) = await played(kit, tmp_path, "tools", script, AGENT, "retail")
    assert [outcome.code for outcome in one.outcomes] == ["ungrounded_argument"]


async def test_a_graph_that_fails_ends_its_episode_and_not_the_others(kit: Kit, tmp_path: Path) -> None:
    script = [RequestRefusedError("on fire"), *kit.environment("tower_of_hanoi", discs=1).solve(1)]
    first, second = await played(kit, tmp_path, "steps", script, discs=1, seeds=[0, 1])
    assert "on fire" in first.error
    assert second.success
    rows = [row_of(one, SETTING) for one in (first, second)]
    assert [row["status"] for row in rows] == ["error", "scored"]
    assert "solved     1 of 1" in summary(rows)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ASK.replace("question", "riddle"), "needs the input 'riddle'"),
        (
            ASK.replace("inputs: {question: string}", "inputs: {question: {type: string, default: x}, other: string}"),
            "'other'",
        ),
    ],
)
async def test_a_graph_that_does_not_fit_is_refused(kit: Kit, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        await played(kit, tmp_path, "steps", [], text)


async def test_an_output_that_is_not_there_is_refused(kit: Kit, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no output 'anser'; did you mean 'answer'"):
        await played(kit, tmp_path, "steps", [], answer="anser")


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("1. a b\n2) c d\n- e", ["a b", "c d", "e"]),
        ("I think.\nPlan:\na\nb", ["a", "b"]),
        ("```\nold\n```\nBetter:\n```text\nnew one\n```", ["new one"]),
        ("Step 1: a\nStep 2: b", ["a", "b"]),
        ("Here it is:\na", ["a"]),
        ("", []),
        ("2 + 8 = 10 (left: 8 10 14)", ["2 + 8 = 10 (left: 8 10 14)"]),
        ("(pick-up a)\n(stack a b)", ["(pick-up a)", "(stack a b)"]),
    ],
)
def test_plans_are_read_as_people_write_them(text: str, plan: list[str]) -> None:
    assert read_plan(text) == plan


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("so\nAction: go left\n", "go left"),
        ("first I think\n\n42", "42"),
        ("", ""),
        ("-17", "-17"),
        ("Ход\nДействие: x", "x"),
    ],
)
def test_an_action_is_the_marked_line_or_the_last(text: str, action: str) -> None:
    assert read_action(text) == action


def test_a_trace_labels_each_step(kit: Kit) -> None:
    environment = kit.environment("retail")
    actions = environment.inject(0, "false_claim", 1)
    assert actions is not None
    episode = environment.start(0)
    taken, outcomes = act(episode, actions[:2])
    found = trace(episode.task, taken, outcomes, name="retail/0")
    assert [step.metadata.get("code", "") for step in found.steps] == ["", "false_claim", "goal_unmet"]
    assert (found.steps[0].kind, found.steps[0].name, found.outcome) == ("call", "find_user", False)


def _row(seed: int, first: int | None) -> dict[str, Any]:
    setting = {
        "environment": "tower_of_hanoi",
        "options": {"discs": 3},
        "model": "scripted",
        "graph": "player",
        "mode": "steps",
    }
    findings = [] if first is None else [{"code": "illegal_action", "step": first, "message": "no"}]
    return {
        **setting,
        "episode": seed,
        "task": f"t/{seed}",
        "status": "scored",
        "success": first is None,
        "first_error": first,
        "steps": 7,
        "length": 7,
        "findings": findings,
    }


def test_rows_grow_and_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with Rows(path, SETTING) as rows:
        rows.append(_row(0, None))
        rows.append(_row(1, 3))
    with path.open("ab") as file:
        file.write(b'{"episode": 2, "tor')
    with Rows(path, SETTING) as rows:
        assert [row["episode"] for row in rows.done] == [0, 1]
        rows.append(_row(2, 5))
    assert [json.loads(line)["episode"] for line in path.read_text().splitlines()] == [0, 1, 2]


def test_rows_of_another_setting_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with Rows(path, SETTING) as rows:
        rows.append(_row(0, None) | {"options": {"discs": 4}})
    with pytest.raises(InputError, match="--fresh"):
        Rows(path, SETTING)


def test_a_summary_says_what_was_solved_and_how_far_runs_get() -> None:
    said = summary([_row(seed, None if seed % 2 else 3) for seed in range(10)])
    assert "solved     5 of 10: 0.500 [0.237, 0.763]" in said
    assert "first error at step 3.0 [3.0, 3.0] of those 5 with one" in said
    assert "illegal_action 5" in said
    assert "H50" in said
