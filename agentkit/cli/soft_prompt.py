"""``agentkit train soft-prompt``: vectors before every prompt that make a local model say what examples say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import click

from agentkit.errors import ConfigError, InputError, StoreError

if TYPE_CHECKING:
    from agentkit.evaluation.prompted import Example, Gain
    from agentkit.models.torch_engine import TorchModel
    from agentkit.models.torch_training import Pair

_SAID = 64  # tokens of an answer that is compared


@click.command(name="soft-prompt")
@click.argument("file")
@click.option("--model", "-m", "folder", required=True, metavar="FOLDER", help="Weights in the Hugging Face form.")
@click.option("--output", "-o", "target", required=True, type=click.Path(path_type=Path), help="Where it goes.")
@click.option("--length", default=16, show_default=True, type=click.IntRange(1), help="Vectors.")
@click.option("--text", default="", help="Begin with the words of this text; by default at random.")
@click.option("--epochs", default=4, show_default=True, type=click.IntRange(1), help="Passes over the examples.")
@click.option("--rate", default=0.05, show_default=True, type=click.FloatRange(0, min_open=True), help="Of learning.")
@click.option("--batch", default=8, show_default=True, type=click.IntRange(1), help="Examples a step.")
@click.option("--held-out", default=0.2, show_default=True, type=click.FloatRange(0.01, 0.9), help="Share to judge by.")
@click.option("--seed", default=0, show_default=True, help="Of the split, the order and the beginning.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no report.")
def command(
    file: str,
    folder: str,
    target: Path,
    length: int,
    text: str,
    epochs: int,
    rate: float,
    batch: int,
    held_out: float,
    seed: int,
    device: str,
    quiet: bool,
) -> None:
    """Tune a prompt of vectors on the examples in FILE, {"input", "target"} a row, while the model stays as it is.

    Few targets that come again make it a classification; else what is said is compared with the target. The best pass by the
    loss on held-out examples is kept as it comes, so Ctrl-C loses at most one pass (Lester et al. 2021, arXiv 2104.08691).
    """
    from agentkit.evaluation import prompted
    from agentkit.models.torch_engine import TorchModel
    from agentkit.models.torch_training import first_vectors, train_prompt

    rows = _examples(file)
    learned, held = prompted.split(rows, held_out, Random(seed))
    loaded = TorchModel(folder, device=device, dtype="float32")
    start = first_vectors(loaded, length, text, seed=seed)
    passes = train_prompt(
        loaded,
        [_pair(loaded, row) for row in learned],
        [_pair(loaded, row) for row in held],
        start,
        epochs=epochs,
        rate=rate,
        batch=batch,
        seed=seed,
    )
    best = _best(passes, target, say=None if quiet else click.echo)
    if not quiet:
        _report(prompted.gain(*_judged(loaded, best, held, prompted.labels(rows)), Random(seed)), target)


def _examples(file: str) -> list[Example]:
    from agentkit.cli.evaluate import lines_of, opened
    from agentkit.evaluation.plain import NotJSONError, parse
    from agentkit.evaluation.prompted import example

    found = []
    with opened(file) as lines:
        for number, line in enumerate(lines_of(lines, file), 1):
            try:
                found += [example(parse(line.removeprefix(b"\xef\xbb\xbf")))] if line.strip() else []
            except (NotJSONError, InputError) as error:
                raise InputError(f"{file}:{number}: {error}") from None
    return found


def _pair(loaded: TorchModel, row: Example, target: str | None = None) -> Pair:
    """The chat up to the answer, and the answer with its end."""
    from agentkit.models.torch_training import Pair
    from agentkit.types import Message

    asked = (Message("user", row.input),)
    prompt = loaded.tokens(asked)
    said = list(loaded.tokenizer(row.target if target is None else target, add_special_tokens=False)["input_ids"])
    end = loaded.tokenizer.eos_token_id
    if len(prompt) + len(said) >= loaded.room:
        raise InputError(
            f"an example of {len(prompt) + len(said)} tokens does not fit the model's context of {loaded.room}"
        )
    return Pair(tuple(prompt), tuple(said if end is None else [*said, end]))


def _best(passes: Any, target: Path, say: Callable[[str], object] | None) -> Any:
    """The vectors of the pass with the least loss on held-out examples, written whenever there is a better one."""
    from agentkit.models.torch_training import save_prompt

    best, least = None, float("inf")
    for one in passes:
        if one.number and say is not None:
            say(f"pass {one.number}: loss a token {one.trained:.3f}, held out {one.held_out:.3f}")
        elif say is not None:
            say(f"before: loss a token, held out {one.held_out:.3f}")
        if one.held_out < least:
            best, least = one.vectors, one.held_out
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                save_prompt(best, target)
            except OSError as error:
                raise StoreError(f"{target} cannot be written: {error.strerror or error}") from None
    if best is None:
        raise ConfigError("the loss is not a number from the beginning: choose a smaller --rate")
    return best


def _judged(
    loaded: TorchModel, vectors: Any, held: Sequence[Example], labels: Sequence[str]
) -> tuple[list[bool], list[bool]]:
    """Which held-out examples come out right without the vectors, and with them."""
    from agentkit.models.torch_training import log_likelihoods

    if not labels:
        return _said(loaded, None, held), _said(loaded, vectors, held)

    def right(soft: Any) -> list[bool]:
        found = []
        for row in held:
            scores = log_likelihoods(loaded, soft, [_pair(loaded, row, label) for label in labels])
            found.append(labels[scores.index(max(scores))] == row.target)
        return found

    return right(None), right(vectors)


def _said(loaded: TorchModel, vectors: Any, held: Sequence[Example]) -> list[bool]:
    """Whether the likeliest answer says what the target says."""
    from agentkit.answers import equivalent, extract
    from agentkit.types import GenerateRequest, Message

    found = []
    for row in held:
        asked = (Message("user", row.input),)
        request = GenerateRequest(messages=asked, temperature=0.0, max_tokens=_SAID)
        with loaded.prompted(vectors):
            tokens = list(loaded.draw(request, loaded.tokens(asked), most=_SAID, stopped=lambda: False))
        text = "".join(token.text for token in tokens).strip()
        answer = extract(text)
        found.append(text == row.target.strip() or (answer is not None and equivalent(answer, row.target)))
    return found


def _report(found: Gain, target: Path) -> None:
    change = found.difference
    click.echo(
        f"{found.rows} held-out examples right: {found.before.value:.1%} without, {found.after.value:.1%} with it"
    )
    click.echo(
        f"difference {100 * change.value:+.1f} points, 95 % interval {100 * change.low:+.1f} to {100 * change.high:+.1f}"
    )
    if change.low <= 0 <= change.high:
        click.echo("these rows do not show that it helps")
    click.echo(f"use it: the model transformers with soft_prompt: {target}")
