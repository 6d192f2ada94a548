"""What is trained in torch: a linear head on hidden states, and a prompt of vectors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from agentkit.errors import ConfigError, MissingExtraError
from agentkit.models.torch_engine import TorchModel

_IGNORED = -100  # torch's own mark of a token that is not to be learned
_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """``weights`` and ``bias`` of a score: their product with the features, as log-odds."""

    weights: tuple[float, ...]
    bias: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The tokens of a prompt, and those that are to follow it."""

    prompt: tuple[int, ...]
    target: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """After ``number`` passes: the mean loss of a target's token in nats, learned from and held out, and the vectors."""

    number: int
    trained: float
    held_out: float
    vectors: Any


def fit_line(features: Sequence[Sequence[float]], labels: Sequence[bool], *, penalty: float) -> Line:
    """Logistic regression on standardised features with ``penalty / 2`` times the squared weights; the same every time.

    Features are an array or rows of (n, d). Raises ``MissingExtraError`` without torch.
    """
    torch = _torch()
    x = torch.as_tensor(features, dtype=torch.float64)
    y = torch.as_tensor([float(label) for label in labels], dtype=torch.float64)
    middle, spread = x.mean(0), x.std(0, unbiased=False).clamp_min(1e-6)
    x = (x - middle) / spread
    weights = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([weights, bias], max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> Any:
        search.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(x @ weights + bias, y)
        value = value + penalty / 2 * weights.square().sum()
        value.backward()
        return value

    search.step(loss)
    with torch.no_grad():
        scaled = weights / spread
        return Line(tuple(scaled.tolist()), float(bias - (scaled * middle).sum()))


def first_vectors(loaded: TorchModel, length: int, text: str, *, seed: int) -> Any:
    """``length`` vectors to begin with: the embeddings of ``text``, repeated or cut, or drawn at random for no text.

    Lester et al. found that beginning with words helps small models most (2021, arXiv 2104.08691, section 3.2).
    """
    torch, table = loaded.torch, loaded.net.get_input_embeddings().weight.detach().float()
    if not text:
        chance = torch.Generator().manual_seed(seed)
        return torch.randn(length, table.shape[1], generator=chance) * float(table.std())
    tokens = list(loaded.tokenizer(text, add_special_tokens=False)["input_ids"])
    if not tokens:
        raise ConfigError("a text to begin with needs at least one word")
    return table[[tokens[place % len(tokens)] for place in range(length)]].cpu().clone()


def train_prompt(
    loaded: TorchModel,
    pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    start: Any,
    *,
    epochs: int,
    rate: float,
    batch: int,
    seed: int,
) -> Iterator[Epoch]:
    """Vectors before every prompt that make the targets likelier, one ``Epoch`` a pass; the model itself stays as it is.

    The first epoch is number 0, before anything was learned. Adam at ``rate``, which falls to nothing as a cosine does.
    """
    torch = loaded.torch
    loaded.net.requires_grad_(False)
    vectors = start.clone().to(loaded.device).requires_grad_(True)
    search = torch.optim.Adam([vectors], lr=rate)
    steps = epochs * math.ceil(len(pairs) / batch)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(search, steps) if steps else None
    order, rng = list(pairs), Random(seed)
    yield _epoch(loaded, 0, math.nan, held_out, vectors, batch)
    for number in range(1, epochs + 1):
        rng.shuffle(order)
        total = 0.0
        for group in _groups(order, batch):
            search.zero_grad()
            value = _loss(loaded, vectors, group)
            value.backward()
            search.step()
            if plan is not None:
                plan.step()
            total += float(value.detach()) * len(group)
        yield _epoch(loaded, number, total / len(order), held_out, vectors, batch)


def log_likelihoods(loaded: TorchModel, vectors: Any | None, pairs: Sequence[Pair]) -> list[float]:
    """The log-probability of each target after its prompt, in nats, with ``vectors`` before it or with none."""
    torch = loaded.torch
    soft = torch.zeros(0, loaded.net.get_input_embeddings().embedding_dim) if vectors is None else vectors
    with loaded.lock, torch.inference_mode():
        logits, labels = _read(loaded, soft.to(loaded.device), pairs)
        logs = torch.log_softmax(logits[:, :-1].float(), dim=-1)
        wanted = labels[:, 1:]
        picked = logs.gather(2, wanted.clamp_min(0)[..., None])[..., 0]
        return [float(one) for one in (picked * (wanted != _IGNORED)).sum(1)]


def save_prompt(vectors: Any, path: Path) -> None:
    """Write the vectors as the safetensors file that ``transformers`` models take as ``soft_prompt``."""
    from safetensors.torch import save_file

    save_file({"prompt": vectors.detach().float().cpu().contiguous()}, str(path))


def _epoch(
    loaded: TorchModel, number: int, trained: float, held_out: Sequence[Pair], vectors: Any, batch: int
) -> Epoch:
    tokens = sum(len(pair.target) for pair in held_out)
    groups = _groups(held_out, batch)
    logs = sum(sum(log_likelihoods(loaded, vectors.detach(), group)) for group in groups)
    return Epoch(number=number, trained=trained, held_out=-logs / max(tokens, 1), vectors=vectors.detach().clone())


def _groups(pairs: Sequence[Pair], size: int) -> list[Sequence[Pair]]:
    return [pairs[start : start + size] for start in range(0, len(pairs), size)]


def _loss(loaded: TorchModel, vectors: Any, pairs: Sequence[Pair]) -> Any:
    logits, labels = _read(loaded, vectors, pairs)
    flat = logits[:, :-1].float().flatten(0, 1)
    return loaded.torch.nn.functional.cross_entropy(flat, labels[:, 1:].flatten(), ignore_index=_IGNORED)


def _read(loaded: TorchModel, vectors: Any, pairs: Sequence[Pair]) -> tuple[Any, Any]:
    """The logits of a padded batch, and what each place is to be followed by."""
    torch, soft = loaded.torch, vectors.shape[0]
    longest = max(len(pair.prompt) + len(pair.target) for pair in pairs)
    ids = torch.zeros(len(pairs), longest, dtype=torch.long)
    labels = torch.full((len(pairs), soft + longest), _IGNORED)
    mask = torch.zeros(len(pairs), soft + longest, dtype=torch.long)
    for row, pair in enumerate(pairs):
        read, size = len(pair.prompt), len(pair.prompt) + len(pair.target)
        ids[row, :size] = torch.tensor([*pair.prompt, *pair.target])
        labels[row, soft + read : soft + size] = torch.tensor(pair.target)
        mask[row, : soft + size] = 1
    words = loaded.net.get_input_embeddings()(ids.to(loaded.device))
    before = vectors.to(words.dtype)[None].expand(len(pairs), -1, -1)
    out = loaded.net(inputs_embeds=torch.cat([before, words], dim=1), attention_mask=mask.to(loaded.device))
    return out.logits, labels.to(loaded.device)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch", "torch", "training") from None
    return torch
