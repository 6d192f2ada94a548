"""Plans as people and models write them: PDDL, calls, numbered lists, JSON, sentences; with prose and code fences around."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agentkit.pddl.task import Task

MAX_CHARACTERS = 2_000_000
MAX_STEPS = 100_000
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_BEGIN = re.compile(r"\[\s*plan\s*\]", re.IGNORECASE)
_END = re.compile(r"\[\s*(?:plan end|end of plan|/plan|statement|verification)\s*\]", re.IGNORECASE)
_BULLET = re.compile(
    r"^\s*(?:[-*•–—+>]\s+|(?:step|action|шаг|действие)\s*#?\d*\s*[:.)–—-]\s*|\(\d+\)\s*|\d+(?:\.\d+)?\s*[.):]\s*|\d+\s+(?=[(]))+",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"\(([^\s()]+)((?: [^\s()]+)*)\)")
_STAMP = re.compile(r"\[ ?[\d.]+ ?\]$")
_GROUP = re.compile(r"\(\s*([^\s()]+)((?:[\s,]+[^\s(),]+)*)\s*\)")
_CALL = re.compile(r"(?<![^\s()\[\]{},:])([^\s()\[\]{},:]{1,200})\s?\(([^()]*)\)")
_NO_PLAN = re.compile(
    r"\bno\s+(?:valid\s+|feasible\s+|possible\s+|such\s+)?(?:plan|solution|sequence)\b|\bunsolv\w*|\bnot\s+solvable\b|\binfeasible\b"
    r"|\b(?:is|are|it's)\s+(?:impossible|unreachable|unachievable)\b|^[^\w\n]*impossible\b"
    r"|\b(?:can\s?not|can't|cannot)\s+be\s+(?:solved|achieved|reached|satisfied|met)\b"
    r"|нет\s+(?:решения|плана)|неразрешим\w*|нереш\w+|(?:достичь|решить|достижение)\s.{0,40}невозможно|невозможно\s+(?:достичь|решить)"
    r"|план\w*\s+не\s+существует|решени\w+\s+не\s+существует",
    re.IGNORECASE | re.MULTILINE,
)

Answer = Literal["plan", "no plan", "nothing"]


@dataclass(frozen=True, slots=True)
class Written:
    """A step as it stands in the plan: its text, and the name and arguments it was read as, in lower case."""

    text: str
    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps. ``answer`` is ``no plan`` where the text says that there is none, ``nothing`` where it says neither."""

    steps: tuple[Written, ...]
    answer: Answer


def read_plan(plan: Any, task: Task) -> Plan:
    """The plan in a text, a list (of texts, of lists, of objects with a name and arguments), or JSON text of such a list.

    Never raises: a step that cannot be understood is a step with an unknown action. At most ``MAX_STEPS`` are read.
    """
    if isinstance(plan, dict):
        plan = next((plan[key] for key in ("plan", "steps", "actions") if key in plan), None)
    if isinstance(plan, list | tuple):
        steps = [step for one in plan[:MAX_STEPS] for step in _item(one, task)]
        text = " ".join(one for one in plan[:100] if isinstance(one, str))
    elif isinstance(plan, str):
        text = plan[:MAX_CHARACTERS]
        listed = _json(text)
        if listed is not None:
            return read_plan(listed, task)
        steps = _from_text(text, task)
    else:
        steps, text = [], ""
    if len(steps) == 1 and _is_refusal(steps[0], task):
        steps = []
    return Plan(tuple(steps[:MAX_STEPS]), _answer(steps, text))


def _is_refusal(step: Written, task: Task) -> bool:
    """Whether what looks like a step says that there is no plan: ``[PLAN] unsolvable [PLAN END]``."""
    return step.name not in task.domain.actions and _NO_PLAN.search(step.text) is not None


def is_plain(line: str) -> bool:
    """Whether a line is nothing but one step in PDDL."""
    return _PLAIN.fullmatch(line) is not None


def plain_step(line: str, task: Task) -> tuple[str, tuple[str, ...]]:
    """Name and arguments of a line that is plain."""
    name, *words = line[1:-1].split(" ")
    read = _grouped(line, name, words, task)
    return read.name, read.arguments


def _answer(steps: Sequence[Written], text: str) -> Answer:
    if steps:
        return "plan"
    return "no plan" if _NO_PLAN.search(text) else "nothing"


def _json(text: str) -> list[Any] | dict[str, Any] | None:
    inner = text.strip()
    if inner.startswith("```"):
        inner = inner.strip("`").removeprefix("json").strip()
    if not inner.startswith(("[", "{")) or _BEGIN.match(inner):
        return None
    try:
        found = json.loads(inner)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list | dict) else None


def _item(one: Any, task: Task) -> Iterator[Written]:
    """The steps of one member of a list; each member is meant as a step, so it is one even if nobody understands it."""
    if isinstance(one, dict):
        name = next((one[key] for key in ("action", "name", "operator") if isinstance(one.get(key), str)), None)
        given = next((one[key] for key in ("arguments", "args", "parameters", "objects") if key in one), ())
        if name is None:
            yield _unread(json.dumps(one, ensure_ascii=False, default=str))
            return
        if not given and "(" in name:
            yield from _item(name, task)
            return
        yield _grouped("", name, [str(part) for part in _listed(given)], task)
    elif isinstance(one, list | tuple) and one and all(isinstance(part, str) for part in one):
        yield _grouped("", one[0], list(one[1:]), task)
    elif isinstance(one, str):
        lines = [line for line in one.splitlines() if line.strip() and not line.lstrip().startswith(";")]
        for line in lines:
            yield from _line(line, task, meant=True)
    else:
        yield _unread(str(one))


def _listed(given: Any) -> list[Any]:
    if isinstance(given, dict):
        return list(given.values())
    return list(given) if isinstance(given, list | tuple) else [given]


def _from_text(text: str, task: Task) -> list[Written]:
    text = text.rpartition("</think>")[2]
    if (begun := list(_BEGIN.finditer(text))) and text[begun[-1].end() :].strip():
        inside = _END.split(text[begun[-1].end() :], maxsplit=1)[0]
        return [step for line in _lines(inside) for step in _line(line, task, meant=True)]
    text = _END.split(text, maxsplit=1)[0]
    for block in _fenced(text):
        if steps := [step for line in block for step in _line(line, task, meant=True)]:
            return steps
    read = [(line, list(_line(line, task, meant=bool(_BULLET.match(line))))) for line in _lines(text)]
    if any(_is_formal(line, task) for line, _ in read):  # the rest is talk about it
        read = [(line, steps) for line, steps in read if _is_formal(line, task)]
        return [step for _, steps in read for step in steps if not _is_fact(step, task)]
    return [step for _, steps in read for step in steps]


def _is_fact(step: Written, task: Task) -> bool:
    """Whether it is a fact among talk, such as the initial state told again."""
    return step.name in task.domain.predicates and step.name not in task.domain.actions


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith((";", "#", "//"))]


def _fenced(text: str) -> Iterator[list[str]]:
    """The insides of the code fences, the last first."""
    blocks: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if _FENCE.match(line):
            inside = not inside
            if inside:
                blocks.append([])
        elif inside and line.strip() and not line.lstrip().startswith((";", "#", "//")):
            blocks[-1].append(line)
    return reversed(blocks)


def _is_formal(line: str, task: Task) -> bool:
    """Whether the line is PDDL or a call of an action, not a sentence."""
    bare = _bare(line)
    if bare.startswith("("):
        return _GROUP.match(bare) is not None
    call = _CALL.fullmatch(bare.rstrip(" .;,"))
    return call is not None and _name(call[1]) in task.domain.actions


def _line(line: str, task: Task, *, meant: bool) -> Iterator[Written]:
    """The steps in a line; one that is ``meant`` as a step is one even if it is not understood."""
    bare = _bare(line)
    if bare.startswith("("):
        groups = list(_GROUP.finditer(bare))
        for found in groups:
            yield _grouped(found[0], found[1], found[2].replace(",", " ").split(), task)
        if not groups and meant:
            yield _unread(bare)
        return
    call = _CALL.fullmatch(bare.rstrip(" .;,"))
    if call and (meant or _name(call[1]) in task.domain.actions):
        yield _spoken(call[1], call[2].replace(",", " ").split(), bare)
        return
    yield from _inline(bare, task) or _said(bare, task, meant=meant)


def _inline(bare: str, task: Task) -> list[Written]:
    """Actions in PDDL or as calls within a sentence: ``First (pick-up a), then stack(a, b).``"""
    found = [
        _spoken(one[1], one[2].replace(",", " ").split(), one[0])
        for one in _GROUP.finditer(bare)
        if _name(one[1]) in task.domain.actions
    ]
    return found or [
        _spoken(one[1], one[2].replace(",", " ").split(), one[0])
        for one in _CALL.finditer(bare)
        if _name(one[1]) in task.domain.actions
    ]


def _said(bare: str, task: Task, *, meant: bool) -> Iterator[Written]:
    """The action that a sentence tells of."""
    if said := task.sentences.read(bare):
        yield Written(bare, said.name, said.arguments)
    elif meant:
        yield _unread(bare)


def _grouped(text: str, name: str, words: list[str], task: Task) -> Written:
    """A group in brackets; nouns between the arguments are left out where they are too many: ``(feast object a object b)``."""
    arguments = [word.lower() for word in words]
    action = task.domain.actions.get(_name(name))
    if action is not None and len(arguments) > len(action.parameters):
        kept = [word for word in arguments if word in task.problem.objects or word not in task.names.nouns]
        if len(kept) == len(action.parameters):
            arguments = kept
    return _spoken(name, arguments, text)


def _spoken(name: str, arguments: Sequence[str], text: str = "") -> Written:
    plain = tuple(one.strip("\"'`?").lower() for one in arguments)
    return Written(text or f"({' '.join((name, *arguments))})", _name(name), plain)


def _unread(text: str) -> Written:
    return Written(text[:200], " ".join(text.lower().split())[:80], ())


def _name(text: str) -> str:
    return text.strip("\"'`*").lower()


def _bare(line: str) -> str:
    """The line without bullet, number, emphasis, comment and time stamp."""
    bare = _BULLET.sub("", line.strip(), count=1).strip("`* \t")
    if bare.startswith("("):
        bare = _STAMP.sub("", bare.partition(";")[0].rstrip()).rstrip()
    return bare
