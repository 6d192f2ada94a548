"""Questions to a person: asked once, kept in the run's record, answered there, and read again by whoever goes on with the run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from agentkit import jsonschema
from agentkit.errors import InputError, QuestionsPendingError, did_you_mean
from agentkit.events import QuestionAnswered, QuestionAsked, Scope
from agentkit.graph.context import NodeContext
from agentkit.graph.plain import to_plain
from agentkit.graph.spec import GraphSpec
from agentkit.options import plainly
from agentkit.runtime.codec import fingerprint
from agentkit.runtime.journal import Journal
from agentkit.runtime.runstore import RunStore
from agentkit.types import JSON, Question, Usage

_ASKED, _ANSWERED = "question", "answer"  # the parts of a place at which both are recorded
_PARTS = ("item", "sample", "tool")  # of a node: numbered from 0 each, while a node is visited
_LONGEST = 100_000
_YES, _NO = ("yes", "y", "true", "approve", "approved"), ("no", "n", "false", "refuse", "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a question came to: the checked ``value``, said ``by`` a ``person`` or by ``default``."""

    value: JSON
    by: str = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A recorded question: where it stands, its fingerprint, and its answer if it has one."""

    question: Question
    scope: Scope
    key: str
    answer: Answer | None = None


def place_of(scope: Scope) -> str:
    """The name of a question asked at ``scope``: ``review``, ``review:1`` for a second visit, ``each/item:3``."""
    visit = f":{scope.visit}" if scope.visit else ""
    return f"{scope.node}{visit}/{scope.path}".rstrip("/")


def ask(question: Question, context: NodeContext, *, wait: float | None = None) -> Answer:
    """The answer to ``question``, asked at this place; raises ``QuestionsPendingError`` while there is none.

    An answer that is there is recorded before it is given. ``wait`` is how many seconds after the question was first asked
    its default stands in. Raises ``InputError`` for an answer given ahead that does not fit.
    """
    question = replace(question, id=place_of(context.scope))
    key = fingerprint(to_plain(question))
    if known := _recorded(context.run.journal, context.scope, key):
        return known
    asked = _asked(question, key, context)
    name = next((one for one in (question.id, unvisited(question.id)) if one in context.run.answers), None)
    if name is not None:
        answer = Answer(value=read_answer(question, context.run.answers[name]))
    elif wait is not None and context.run.now() - asked >= wait:
        answer = Answer(value=read_answer(question, question.default), by="default")
    else:
        context.run.emit(QuestionAsked(scope=context.scope, question=question))
        raise QuestionsPendingError([question])
    if context.run.journal is not None:
        _record(context.run.journal, context.scope, key, answer)
    context.run.emit(QuestionAnswered(scope=context.scope, question=question.id, value=answer.value, by=answer.by))
    return answer


def questions_of(journal: Journal) -> list[Open]:
    """The questions of a run in the order in which they were asked, answered ones among them."""
    order = {visit.scope: row for row, visit in enumerate(journal.visits())}
    found = []
    for visit in journal.visits():
        place, _, last = visit.scope.path.rpartition("/")
        if last == _ASKED and "question" in visit.outputs:
            here = replace(visit.scope, path=place)
            question = {**visit.outputs["question"], "choices": tuple(visit.outputs["question"]["choices"])}
            answer = _recorded(journal, here, visit.key)
            if answer is not None or not _finished(here, order, since=order[visit.scope]):
                found.append(Open(question=Question(**question), scope=here, key=visit.key, answer=answer))
    return found


def find_question(name: str, questions: Iterable[Open]) -> Open | None:
    """The question of that id, or the only one without an answer that a node of that name asks."""
    known = list(questions)
    exact = [one for one in known if one.question.id == name]
    if exact:
        return exact[-1]
    named = [one for one in known if one.answer is None and name in short_names(one.question.id)]
    if len(named) > 1:
        raise InputError(f"{name!r} asks several questions; say which: {', '.join(one.question.id for one in named)}")
    return named[0] if named else None


def check_answer(one: Open, value: JSON, questions: Iterable[Open] = ()) -> JSON:
    """The value as it will be recorded; raises ``InputError`` when it does not fit, or another one was given before.

    The sentence names those among ``questions`` that the node still asks.
    """
    checked = read_answer(one.question, value)
    if one.answer is not None and one.answer.value != checked:
        still = [other.question.id for other in questions if other.answer is None and _same_node(other, one)]
        waits = f"{' and '.join(map(repr, still))} waits for an answer; " if still else ""
        raise InputError(
            f"{one.question.id!r} was answered already, with {json.dumps(one.answer.value, ensure_ascii=False)}; "
            f"{waits}fork the run from its node to answer otherwise"
        )
    return checked


def answered(
    store: RunStore, run: str, answers: Mapping[str, JSON], *, ahead: Iterable[str] = ()
) -> tuple[Journal, dict[str, JSON]]:
    """The journal of ``run``, opened and with ``answers`` recorded, and those of questions that it has not asked yet.

    An answer that is there already stays as it is. Raises ``InputError``, with nothing written, for one that does not fit, or
    is another than was given before, and for a name that is neither a question's nor among those ``ahead``.
    """
    header = store.read(run)
    if answers:
        with store.look(run) as earlier:
            _checked(earlier, answers, ahead)
    journal = store.open(run)
    try:
        checked, left = _checked(journal, answers, ahead)  # again: somebody else may have answered in between
    except InputError:
        with journal:
            journal.set_status(header.status, output=header.output, error=header.error)
        raise
    for one, value in checked:
        if one.answer is None:
            _record(journal, one.scope, one.key, Answer(value=value))
    return journal, left


def _checked(
    journal: Journal, answers: Mapping[str, JSON], ahead: Iterable[str]
) -> tuple[list[tuple[Open, JSON]], dict[str, JSON]]:
    """The questions that are answered, each with its answer as it will be recorded, and the answers to none of them."""
    asked = questions_of(journal) if answers else []
    found, left = [], {}
    for name, value in answers.items():
        if one := find_question(name, asked):
            found.append((one, check_answer(one, value, asked)))
        elif name in ahead:
            left[name] = value
        else:
            raise _unknown_question(journal.header.id, name, asked)
    return found, left


def check_ahead(answers: Iterable[str], ahead: Sequence[str], spec: GraphSpec) -> None:
    """Raises ``InputError`` for an answer given before the run whose name begins with no node of the graph."""
    for name in answers:
        if name not in ahead:
            node = name.partition("/")[0].partition(":")[0]
            raise InputError(f"{spec.name} has no node {node!r} to answer{did_you_mean(node, spec.nodes)}")


def _unknown_question(run: str, name: str, questions: Iterable[Open]) -> InputError:
    known = [one.question.id for one in questions]
    listed = ", ".join(known) or "none"
    return InputError(f"run {run!r} asked no question {name!r}{did_you_mean(name, known)} (it asked: {listed})")


def read_answer(question: Question, value: JSON) -> JSON:
    """The answer as a node takes it; raises ``InputError`` that says what would fit."""
    fault, answer = _READERS[question.kind](question, value)
    if fault:
        raise InputError(f"the answer to {question.id!r} {fault}")
    return answer


def parse_answer(question: Question, text: str) -> JSON:
    """An answer typed by a person: a text or choice as it is, ``yes``, ``no`` or ``no: because ...``, JSON for a form."""
    if question.kind in ("text", "choice"):
        return text
    word, _, comment = text.partition(":")
    if question.kind == "approve" and word.strip().lower() in (*_YES, *_NO):
        return {"approved": word.strip().lower() in _YES, "comment": comment.strip()}
    try:
        return json.loads(text)
    except ValueError:
        wanted = "yes, no, or 'no: because ...'" if question.kind == "approve" else "JSON"
        raise InputError(f"the answer to {question.id!r} must be {wanted}, not {plainly(text)}") from None


def _text(question: Question, value: JSON) -> tuple[str, JSON]:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        return f"must be a text of 1 to {_LONGEST:,} characters, not {plainly(value)}", None
    return "", value


def _choice(question: Question, value: JSON) -> tuple[str, JSON]:
    if value in question.choices:
        return "", value
    hint = did_you_mean(value, question.choices) if isinstance(value, str) else ""
    return f"must be one of {', '.join(question.choices)}, not {plainly(value)}{hint}", None


def _approve(question: Question, value: JSON) -> tuple[str, JSON]:
    answer = {"approved": value} if isinstance(value, bool) else value
    known = ("approved", "comment") if question.arguments is None else ("approved", "comment", "arguments")
    if not isinstance(answer, Mapping) or not isinstance(answer.get("approved"), bool):
        return f"must be true, false or {{approved: ..., comment: ...}}, not {plainly(value)}", None
    if unknown := [name for name in answer if name not in known]:
        return f"has an unknown key {unknown[0]!r}{did_you_mean(str(unknown[0]), known)}", None
    if not isinstance(answer.get("comment", ""), str):
        return f"must have a text as its comment, not {plainly(answer['comment'])}", None
    if answer.get("arguments") is not None:
        if not answer["approved"]:
            return "cannot refuse a call and change its arguments at once", None
        if fault := jsonschema.mismatch(answer["arguments"], {"type": "object", **(question.schema or {})}):
            return f"changes the arguments so that they do not fit {question.tool}: {fault}", None
    return "", dict(answer)


def _form(question: Question, value: JSON) -> tuple[str, JSON]:
    fault = jsonschema.mismatch(value, question.schema or {})
    return (f"does not fit: {fault}" if fault else ""), value


_READERS = {"text": _text, "choice": _choice, "approve": _approve, "form": _form}


def _recorded(journal: Journal | None, scope: Scope, key: str) -> Answer | None:
    known = journal.finished_node(scope.inner(_ANSWERED), key) if journal is not None else None
    return None if known is None else Answer(value=known.outputs["value"], by=known.outputs["by"])


def _record(journal: Journal, scope: Scope, key: str, answer: Answer) -> None:
    journal.finish_node(scope.inner(_ANSWERED), key, {"value": answer.value, "by": answer.by}, Usage(), 0.0)


def _asked(question: Question, key: str, context: NodeContext) -> float:
    """When this question was first asked, in seconds since 1970; recorded now if it was not yet."""
    journal, scope = context.run.journal, context.scope.inner(_ASKED)
    if journal is None:
        return context.run.now()
    if known := journal.finished_node(scope, key):
        return float(known.outputs["asked"])
    now = context.run.now()
    journal.finish_node(scope, key, {"question": to_plain(question), "asked": now}, Usage(), 0.0)
    return now


def _finished(scope: Scope, order: Mapping[Scope, int], *, since: int) -> bool:
    """Whether the visit that asked has ended after that, or one around it: the question is of no use any more."""
    parts = scope.path.split("/") if scope.path else []
    around = (replace(scope, path="/".join(parts[:end])) for end in range(len(parts) + 1))
    return any(order.get(one, -1) > since for one in around)


def _same_node(one: Open, other: Open) -> bool:
    return title_of(one.question.id) == title_of(other.question.id)


def title_of(name: str) -> str:
    """The names of the nodes alone: ``each`` of ``each:1/item:3``."""
    steps = [part.partition(":")[0] for part in name.split("/")]
    return "/".join([steps[0], *(part for part in steps[1:] if part not in _PARTS)])


def unvisited(name: str) -> str:
    """The id without the numbers of first visits: ``each/item:3/ask`` of ``each/item:3/ask:0``."""
    first, *steps = name.split("/")
    return "/".join([first, *(one if one.partition(":")[0] in _PARTS else one.removesuffix(":0") for one in steps)])


def short_names(name: str) -> tuple[str, str]:
    """What a question may be called where no other is called so: by its place without first visits, or by its nodes."""
    return unvisited(name), title_of(name)
