"""Questions of a run at the command line: shown, answered at a prompt, or told with the command that answers them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from agentkit.errors import InputError, QuestionsPendingError, did_you_mean

if TYPE_CHECKING:
    from agentkit.cli.view import RunView
    from agentkit.types import Question

option = click.option(
    "--answer",
    "-a",
    "answers",
    multiple=True,
    metavar="NODE=VALUE",
    help="An answer to a question; NODE=@FILE reads a file.",
)


def at_terminal() -> bool:
    """Whether a person sits at the other end."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def parse(question: Question, text: str) -> Any:
    """An answer as typed after ``NODE=``."""
    from agentkit.graph.questions import parse_answer

    if text.startswith("@"):
        path = Path(text[1:])
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the answer to {question.id!r} cannot be read from {path}: {error}") from None
    return parse_answer(question, text)


def parse_all(answers: dict[str, str], questions: Iterable[Question]) -> dict[str, Any]:
    """Answers as typed, each read as its question wants it; one that no question has is left as text, for the run to judge."""
    from agentkit.graph.questions import short_names

    by_name = {name: one for one in questions for name in (*short_names(one.id), one.id)}
    return {name: parse(by_name[name], text) if name in by_name else _ahead(text) for name, text in answers.items()}


def _ahead(text: str) -> Any:
    """An answer to a question that is not asked yet: true, a number or an object where it is written so, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return {"yes": True, "no": False}.get(text, text)


def prompt(questions: Iterable[Question]) -> dict[str, Any]:
    """Asks every question at the terminal until its answer fits."""
    return {one.id: _prompt(one) for one in questions}


def _prompt(question: Question) -> Any:
    from agentkit.graph.questions import read_answer

    click.echo(f"\n{_shown(question)}", err=True)
    while True:
        given = click.prompt(f"{question.id} ({_wanted(question)})", default=_default(question), err=True)
        try:
            return read_answer(question, parse(question, _chosen(question, given)))
        except InputError as error:
            click.echo(f"{error}", err=True)


def _chosen(question: Question, given: str) -> str:
    """The choice of a number, or what was typed."""
    place = int(given) if given.isdecimal() else 0
    return (
        question.choices[place - 1] if given not in question.choices and 0 < place <= len(question.choices) else given
    )


def _default(question: Question) -> str | None:
    if question.default is None or isinstance(question.default, str):
        return question.default
    return json.dumps(question.default, ensure_ascii=False)


def _shown(question: Question) -> str:
    from agentkit.rag.prompt import clean

    lines = [question.text]
    if question.arguments is not None:
        lines.append(clean(f"{question.tool}({json.dumps(question.arguments, ensure_ascii=False)})"))
    lines += [f"  {number}. {choice}" for number, choice in enumerate(question.choices, 1)]
    return "\n".join(lines)


def _wanted(question: Question) -> str:
    if question.kind == "choice":
        return "one of " + ", ".join(question.choices)
    if question.kind == "approve":
        edit = '; {"approved": true, "arguments": ...} changes the call' if question.arguments is not None else ""
        return f"yes, no, or no: because ...{edit}"
    if question.kind == "form":
        properties = ", ".join((question.schema or {}).get("properties", {}))
        return f"JSON with {properties}" if properties else "JSON"
    return "text"


def converse(view: RunView, go: Callable[[dict[str, Any]], None], *, asking: bool) -> None:
    """``go``, and while the run waits for answers ask for them and go on; ``go`` takes the settings of the next session."""
    go({})
    while asking and view.questions:
        go({"resume": view.run, "record": None, "answers": prompt(view.questions)})


def must_be_whole(view: RunView, command: str) -> None:
    """Raises ``QuestionsPendingError``, with what is asked and how to answer, for a run that waits for a person."""
    if view.questions:
        raise _pending(view.questions, command)


def _pending(questions: tuple[Question, ...], command: str) -> QuestionsPendingError:
    told = [f"  {one.id}: {_shown(one)}\n    ({_wanted(one)})" for one in questions]
    names = " ".join(f"--answer {one.id}=..." for one in questions)
    lines = ["the run waits for a person to answer:", *told, f"answer with: {command} {names}"]
    return QuestionsPendingError(questions, "\n".join(lines))


def must_say(question: Question, command: str) -> NoReturn:
    """Raises what tells how to answer one question."""
    told = f"{question.id}: {_shown(question)}\n  ({_wanted(question)})"
    raise InputError(f"{told}\nanswer with: {command} --node {question.id} --value ...")


def choose(questions: tuple[Question, ...], node: str | None, run: str) -> Question:
    """The question that ``node`` names, or the only one."""
    from agentkit.graph.questions import short_names

    if not questions:
        raise InputError(f"run {run!r} waits for no answer")
    found = [one for one in questions if node in (None, one.id)] or [
        one for one in questions if node in short_names(one.id)
    ]
    if len(found) != 1:
        known = [one.id for one in questions]
        hint = did_you_mean(node, known) if node else ""
        raise InputError(f"say with --node which question of run {run!r} it answers: {', '.join(known)}{hint}")
    return found[0]
