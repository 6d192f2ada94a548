"""A person in the middle of a run: asked once, waited for, answered from outside, and nothing before it runs again."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from agentkit.errors import InputError, NodeError, QuestionsPendingError
from agentkit.events import NodeFinished, QuestionAnswered, QuestionAsked, RunFinished
from agentkit.graph.questions import answered
from agentkit.graph.runs import Runs
from agentkit.runtime.journal import Journal
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import Question

HEAD = "schema: agentkit/v1\nname: test\n"

REVIEW = HEAD + dedent(
    """\
    inputs: {topic: string}
    outputs: {text: send.label, said: review.answer}
    models: {small: fake/x}
    nodes:
      write: {use: model, with: {prompt: "Write about {{topic}}"}, in: {topic: inputs.topic}}
      review:
        use: human
        with: {ask: "Send this?\\n{{draft}}", choices: [send, drop]}
        in: {draft: write.text}
      send: {use: probe, with: {label: sent}, in: {a: review.answer}}
    """
)


def runs(bench: Any) -> Runs:
    return Runs(Store(home=bench.home), lambda *_, **__: None)


async def test_a_run_stops_at_a_question_and_goes_on_with_the_answer(bench: Any) -> None:
    graph = bench.graph(REVIEW, ["a draft"], keep=True)
    first = await graph.run(topic="bees")
    assert (first.status, first.output, first.kept) == ("interrupted", {"text": None, "said": None}, ("write",))
    (question,) = first.pending
    assert question == Question(id="review", text="Send this?\na draft", kind="choice", choices=("send", "drop"))
    silent = ScriptedModel(script=[])
    second = await bench.graph(REVIEW, silent, keep=True).run(resume=first.id, answers={"review": "send"})
    assert (second.status, second.output) == ("succeeded", {"text": "sent", "said": "send"})
    assert (second.id, silent.requests, second.pending) == (first.id, [], ())


async def test_the_question_is_an_event_and_the_end_tells_what_is_open(bench: Any) -> None:
    events = await bench.events(bench.graph(REVIEW, ["a draft"], keep=True), {"topic": "bees"})
    (asked,) = [one for one in events if isinstance(one, QuestionAsked)]
    assert (asked.scope.node, asked.question.id) == ("review", "review")
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].status, events[-1].questions) == ("interrupted", (asked.question,))
    assert [one.scope.node for one in events if isinstance(one, NodeFinished)] == ["write"]


async def test_resumed_without_an_answer_it_asks_again(bench: Any) -> None:
    first = await bench.graph(REVIEW, ["a draft"], keep=True).run(topic="bees")
    again = await bench.graph(REVIEW, [], keep=True).run(resume=first.id)
    assert (again.status, again.pending) == ("interrupted", first.pending)
    assert runs(bench).questions(first.id) == first.pending


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            {"review": "sned"},
            "the answer to 'review' must be one of send, drop, not the text 'sned'; did you mean 'send'?",
        ),
        ({"review": True}, "the answer to 'review' must be one of send, drop, not true"),
        ({"reviwe": "send"}, "asked no question 'reviwe'; did you mean 'review'? (it asked: review)"),
    ],
)
async def test_a_wrong_answer_is_refused_and_the_question_stays_open(
    bench: Any, answers: dict[str, Any], message: str
) -> None:
    first = await bench.graph(REVIEW, ["a draft"], keep=True).run(topic="bees")
    with pytest.raises(InputError) as refused:
        await bench.graph(REVIEW, [], keep=True).run(resume=first.id, answers=answers)
    assert message in str(refused.value)
    assert runs(bench).store.read(first.id).status == "interrupted"
    assert runs(bench).questions(first.id) == first.pending


async def test_an_answer_is_kept_and_the_same_one_twice_changes_nothing(bench: Any) -> None:
    first = await bench.graph(REVIEW, ["a draft"], keep=True).run(topic="bees")
    assert runs(bench).answer(first.id, {"review": "drop"}) == ()
    assert runs(bench).answer(first.id, {"review": "drop"}) == ()
    with pytest.raises(InputError, match=r"'review' was answered already, with \"drop\"; fork the run"):
        runs(bench).answer(first.id, {"review": "send"})
    assert runs(bench).store.read(first.id).status == "interrupted"
    run = await bench.graph(REVIEW, [], keep=True).run(resume=first.id)
    assert run.output["said"] == "drop"
    again = await bench.graph(REVIEW, [], keep=True).run(resume=first.id, answers={"review": "drop"})
    assert again.output["said"] == "drop"


async def test_answers_may_be_given_ahead_and_without_a_store(bench: Any) -> None:
    run = await bench.graph(REVIEW, ["a draft"]).run(topic="bees", answers={"review": "send"})
    assert run.output == {"text": "sent", "said": "send"}
    with pytest.raises(InputError, match=r"test has no node 'reviwe' to answer; did you mean 'review'\?"):
        await bench.graph(REVIEW, ["a draft"]).run(topic="bees", answers={"reviwe": "send"})
    with pytest.raises(NodeError, match="the answer to 'review' must be one of send, drop, not 3"):
        await bench.graph(REVIEW, ["a draft"]).run(topic="bees", answers={"review": 3})


async def test_a_changed_question_is_asked_anew(bench: Any) -> None:
    first = await bench.graph(REVIEW, ["a draft"], keep=True).run(topic="bees")
    runs(bench).answer(first.id, {"review": "send"})
    changed = REVIEW.replace("[send, drop]", "[send, drop, later]")
    run = await bench.graph(changed, [], keep=True).run(resume=first.id)
    assert run.pending[0].choices == ("send", "drop", "later")


BRANCHES = HEAD + dedent(
    """\
    outputs: {all: join.text, side: last.label}
    nodes:
      start: {use: probe, with: {label: start}}
      ask: {use: human, with: {ask: Well}, in: {}}
      other: {use: probe, with: {label: other}}
      last: {use: probe, with: {label: last}, in: {a: other.label}}
      join: {use: join, in: {left: ask.answer, right: last.label}}
    edges:
      - start -> ask -> join
      - start -> other -> last -> join
    """
)


async def test_other_branches_go_on_and_a_join_waits_for_the_answer(bench: Any) -> None:
    first = await bench.graph(BRANCHES, keep=True).run()
    assert (first.status, first.output) == ("interrupted", {"all": None, "side": "last"})
    assert bench.probe.runs == ["start", "other", "last"]
    second = await bench.graph(BRANCHES, keep=True).run(resume=first.id, answers={"ask": "fine"})
    assert second.output == {"all": "fine+last", "side": "last"}
    assert bench.probe.runs == ["start", "other", "last"]


async def test_a_join_that_is_reached_in_the_very_same_step_waits_too(bench: Any) -> None:
    text = BRANCHES.replace("other -> last -> join", "other -> join").replace("right: last.label", "right: other.label")
    first = await bench.graph(text.replace("in: {a: other.label}", "when: 'false'"), keep=True).run()
    assert (first.status, first.output["all"]) == ("interrupted", None)


async def test_several_people_can_be_asked_at_once(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {all: join.text}
        nodes:
          one: {use: human, with: {ask: First}}
          two: {use: human, with: {ask: Second}}
          join: {use: join, in: {left: one.answer, right: two.answer}}
        """
    )
    first = await bench.graph(text, keep=True).run()
    assert sorted(one.id for one in first.pending) == ["one", "two"]
    second = await bench.graph(text, keep=True).run(resume=first.id, answers={"two": "b"})
    assert [one.id for one in second.pending] == ["one"]
    third = await bench.graph(text, keep=True).run(resume=first.id, answers={"one": "a"})
    assert third.output == {"all": "a+b"}


async def test_each_visit_of_a_loop_asks_its_own_question(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {text: write.label}
        nodes:
          write: {use: probe, with: {label: draft}}
          review: {use: human, with: {ask: Good, approve: true}}
        edges:
          - write -> review
          - {from: review, to: write, when: "!review.approved", max: 3}
        """
    )
    first = await bench.graph(text, keep=True).run()
    second = await bench.graph(text, keep=True).run(
        resume=first.id, answers={"review": {"approved": False, "comment": "no"}}
    )
    assert [one.id for one in second.pending] == ["review:1"]
    third = await bench.graph(text, keep=True).run(resume=first.id, answers={"review:1": True})
    assert third.status == "succeeded"
    assert bench.probe.runs == ["draft", "draft"]


async def test_each_item_of_a_map_asks_its_own_question_and_the_others_go_on(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        inputs: {names: list}
        outputs: {all: each.answer}
        nodes:
          each:
            use: human
            with: {ask: "{{name}}?"}
            in: {name: inputs.names}
            map: {over: inputs.names, on_error: skip}
        """
    )
    first = await bench.graph(text, keep=True).run(names=["a", "b", "c"])
    assert [one.id for one in first.pending] == ["each/item:0", "each/item:1", "each/item:2"]
    with pytest.raises(
        InputError, match="'each' asks several questions; say which: each/item:0, each/item:1, each/item:2"
    ):
        runs(bench).answer(first.id, {"each": "x"})
    left = runs(bench).answer(first.id, {"each/item:0": "x", "each/item:2": "z"})
    assert [one.text for one in left] == ["b?"]
    second = await bench.graph(text, keep=True).run(resume=first.id, answers={"each": "y"})
    assert second.output == {"all": ["x", "y", "z"]}


async def test_a_question_inside_a_graph_inside_a_node_is_found_and_answered(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {all: outer.said, after: after.label}
        nodes:
          outer:
            use: graph
            with:
              graph:
                outputs: {said: ask.answer}
                nodes:
                  before: {use: probe, with: {label: before}}
                  ask: {use: human, with: {ask: Well}}
                edges: [before -> ask]
          after: {use: probe, with: {label: after}, in: {a: outer.said}}
        """
    )
    first = await bench.graph(text, keep=True).run()
    assert [one.id for one in first.pending] == ["outer/ask:0"]
    second = await bench.graph(text, keep=True).run(resume=first.id, answers={"outer/ask": "yes"})
    assert second.output == {"all": "yes", "after": "after"}
    assert bench.probe.runs == ["before", "after"]


async def test_samples_that_ask_are_waited_for_unless_the_vote_is_settled_without_them(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {said: vote.said}
        nodes:
          vote:
            use: graph
            sample: {n: 3, stop: fixed, vote: said, concurrency: 3}
            with:
              graph:
                outputs: {said: ask.answer}
                nodes: {ask: {use: human, with: {ask: Well}}}
        """
    )
    first = await bench.graph(text, keep=True).run()
    assert [one.id for one in first.pending] == [f"vote/sample:{place}/ask:0" for place in range(3)]
    answers = {one.id: "yes" for one in first.pending}
    assert (await bench.graph(text, keep=True).run(resume=first.id, answers=answers)).output == {"said": "yes"}


@pytest.mark.parametrize(
    ("shape", "wrong", "right", "message"),
    [
        ("", " ", "fine", "must be a text of 1 to 100,000 characters"),
        ("approve: true", "yes", True, "must be true, false or {approved: ..., comment: ...}, not the text 'yes'"),
        (
            "approve: true",
            {"approved": True, "comments": ""},
            False,
            "has an unknown key 'comments'; did you mean 'comment'?",
        ),
        (
            "schema: {type: object, properties: {age: {type: integer}}, required: [age]}",
            {"age": "old"},
            {"age": 7},
            "does not fit: age: must be integer, not the text 'old'",
        ),
    ],
)
async def test_every_form_of_answer_is_checked(bench: Any, shape: str, wrong: Any, right: Any, message: str) -> None:
    options = f"{{ask: Well, {shape}}}" if shape else "{ask: Well}"
    text = f"{HEAD}outputs: {{by: ask.by}}\nnodes:\n  ask: {{use: human, with: {options}}}\n"
    first = await bench.graph(text, keep=True).run()
    with pytest.raises(InputError) as refused:
        runs(bench).answer(first.id, {"ask": wrong})
    assert message in str(refused.value)
    assert (await bench.graph(text, keep=True).run(resume=first.id, answers={"ask": right})).output == {"by": "person"}


async def test_a_default_stands_in_once_nobody_answered_in_time(bench: Any) -> None:
    node = "ask: {use: human, with: {ask: Well, default: go, wait: 60}}"
    text = f"{HEAD}outputs: {{said: ask.answer, by: ask.by}}\nnodes:\n  {node}\n"
    at = [1000.0]
    first = await bench.graph(text, keep=True, now=lambda: at[0]).run()
    at[0] = 1059.0
    second = await bench.graph(text, keep=True, now=lambda: at[0]).run(resume=first.id)
    assert second.status == "interrupted"
    at[0] = 1060.0
    events = await bench.events(bench.graph(text, keep=True, now=lambda: at[0]), resume=first.id)
    assert events[-1].output == {"said": "go", "by": "default"}
    assert [one.by for one in events if isinstance(one, QuestionAnswered)] == ["default"]
    with pytest.raises(InputError, match="was answered already"):
        runs(bench).answer(first.id, {"ask": "stop"})


async def test_a_fork_keeps_the_answers_before_its_node_and_asks_the_others_anew(bench: Any) -> None:
    from agentkit.graph.run import Fork

    first = await bench.graph(REVIEW, ["a draft"], keep=True).run(topic="bees", answers={"review": "send"})
    later = await bench.graph(REVIEW, [], keep=True).execute({}, fork=Fork(run=first.id, at="send"))
    assert later.output["said"] == "send"
    anew = await bench.graph(REVIEW, [], keep=True).execute({}, fork=Fork(run=first.id, at="review"))
    assert [one.id for one in anew.pending] == ["review"]


async def test_the_plain_langgraph_object_says_that_a_person_is_needed(bench: Any) -> None:
    plain = bench.graph(REVIEW, ["a draft"]).to_langgraph().compile()
    with pytest.raises(QuestionsPendingError, match="waits for a person to answer: review"):
        await plain.ainvoke({"inputs": {"topic": "bees"}})


async def test_what_data_says_cannot_pose_as_the_terminal_s_own(bench: Any) -> None:
    run = await bench.graph(REVIEW, ["\x1b[2Ja \u202edraft"], keep=True).run(topic="bees")
    assert run.pending[0].text == "Send this?\n[2Ja draft"


async def test_of_two_who_answer_at_once_the_second_is_told(bench: Any) -> None:
    first = await bench.graph(REVIEW, ["a draft"], keep=True).run(topic="bees")

    class Meanwhile(Store):
        def open(self, run: str) -> Journal:
            answered(Store(home=bench.home), run, {"review": "drop"})[0].close()
            return super().open(run)

    with pytest.raises(InputError, match="'review' was answered already, with \"drop\""):
        answered(Meanwhile(home=bench.home), first.id, {"review": "send"})
    assert runs(bench).store.read(first.id).status == "interrupted"
    assert (await bench.graph(REVIEW, [], keep=True).run(resume=first.id)).output["said"] == "drop"
