"""A causal language model in torch, token by token. Owner of torch and transformers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentkit.errors import ConfigError, ContextWindowError, MissingExtraError, WeightsError
from agentkit.types import GenerateRequest, Message, TokenLogprob


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token of the sample ``index``: the text that it completes, what it was drawn from, and whether the sample ends.

    ``finish`` is empty while the sample goes on, else ``stop`` or ``length``.
    """

    index: int
    text: str
    logprob: TokenLogprob | None
    finish: str = ""


@dataclass(kw_only=True)
class _Row:
    """One sample under way: its own chance, what it has said and what of it has been told."""

    index: int
    generator: Any
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    told: int = 0


class TorchModel:
    """The weights loaded, in evaluation mode. Raises ``MissingExtraError`` without torch and ``WeightsError`` for no model.

    ``soft_prompt`` is a safetensors file with the vectors of a tuned prompt under ``prompt``, shape (length, hidden), which
    come before every prompt (Lester et al. 2021, arXiv 2104.08691).
    """

    def __init__(self, model: str, *, device: str, dtype: str, soft_prompt: Path | None = None) -> None:
        torch, transformers = _libraries()
        self.source, self.torch, self.device = model, torch, _device(torch, device)
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(model, trust_remote_code=False)
            loaded = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=dtype, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{model!r} cannot be loaded: {str(error).splitlines()[0]}") from error
        self.net = loaded.to(self.device).eval()
        self.room = int(getattr(loaded.config, "max_position_embeddings", 0) or 2**31)
        self._ends = self._end_tokens()
        self._soft = None if soft_prompt is None else self._vectors(soft_prompt)
        self.lock = threading.Lock()

    def tokens(self, messages: Sequence[Message]) -> list[int]:
        """The chat in the model's own template; a last message of the assistant's is continued."""
        continued = messages[-1].role == "assistant"
        turns = [{"role": one.role, "content": one.content} for one in messages]
        if getattr(self.tokenizer, "chat_template", None) is None:
            return list(self.tokenizer("\n".join(one.content for one in messages))["input_ids"])
        made = self.tokenizer.apply_chat_template(
            turns,
            add_generation_prompt=not continued,
            continue_final_message=continued,
            tokenize=True,
            return_dict=False,
        )
        return list(made)

    def draw(
        self, request: GenerateRequest, prompt: Sequence[int], *, most: int, stopped: Callable[[], bool]
    ) -> Iterator[Token]:
        """``request.n`` samples side by side, up to ``most`` tokens each; ends early once ``stopped`` says so.

        The prompt is read once. The same seed gives the same samples on the same machine.
        """
        if len(prompt) + most > self.room:
            raise ContextWindowError(
                f"{len(prompt)} tokens of prompt and {most} of answer do not fit the context of {self.room} tokens: shorten it"
            )
        torch = self.torch
        with self.lock, torch.inference_mode():
            rows = [_Row(index=index, generator=self._chance(request, index)) for index in range(request.n)]
            logits, cache = self._read(prompt, request.n)
            for step in range(most):
                drawn = [self._pick(logits[place], request, row.generator) for place, row in enumerate(rows)]
                ended = []
                for place, (row, token) in enumerate(zip(rows, drawn, strict=True)):
                    told = self._take(row, token, logits[place], request, last=step + 1 == most)
                    yield told
                    ended += [place] if told.finish else []
                going = [place for place in range(len(rows)) if place not in ended]
                if not going or stopped():
                    return
                if ended:
                    cache.batch_select_indices(torch.tensor(going, device=self.device))
                    rows, drawn = [rows[place] for place in going], [drawn[place] for place in going]
                out = self.net(
                    input_ids=torch.tensor([[one] for one in drawn], device=self.device),
                    past_key_values=cache,
                    use_cache=True,
                )
                logits, cache = out.logits[:, -1].float(), out.past_key_values

    @contextmanager
    def prompted(self, vectors: Any | None) -> Iterator[None]:
        """These vectors (or none) come before every prompt meanwhile."""
        before, self._soft = self._soft, vectors
        try:
            yield
        finally:
            self._soft = before

    def hidden(self, tokens: Sequence[int], *, layer: int = -1) -> Any:
        """The hidden states of ``tokens`` after ``layer`` (-1: the last): a float32 array of shape (len(tokens), hidden)."""
        with self.lock, self.torch.inference_mode():
            ids = self.torch.tensor([list(tokens)], device=self.device)
            out = self.net.base_model(input_ids=ids, output_hidden_states=True)
            return out.hidden_states[layer][0].float().cpu().numpy()

    def _read(self, prompt: Sequence[int], n: int) -> tuple[Any, Any]:
        """The logits after the prompt and what was kept of reading it, for each of ``n`` samples."""
        ids = self.torch.tensor([list(prompt)], device=self.device)
        if self._soft is None:
            out = self.net(input_ids=ids, use_cache=True)
        else:
            words = self.net.get_input_embeddings()(ids)
            soft = self._soft.to(words.dtype)[None]
            out = self.net(inputs_embeds=self.torch.cat([soft, words], dim=1), use_cache=True)
        cache = out.past_key_values
        if n > 1:
            cache.batch_repeat_interleave(n)
        return out.logits[:, -1].float().expand(n, -1), cache

    def _chance(self, request: GenerateRequest, index: int) -> Any:
        generator = self.torch.Generator(device="cpu")
        if request.seed is None:
            generator.seed()
        else:
            generator.manual_seed(request.seed + index)
        return generator

    def _pick(self, logits: Any, request: GenerateRequest, generator: Any) -> int:
        temperature = 1.0 if request.temperature is None else request.temperature
        if temperature == 0:
            return int(logits.argmax())
        chances = self.torch.softmax(logits / temperature, dim=-1).cpu()
        if request.top_p is not None and request.top_p < 1:
            chances = self._nucleus(chances, request.top_p)
        return int(self.torch.multinomial(chances, 1, generator=generator))

    def _nucleus(self, chances: Any, share: float) -> Any:
        """The fewest likeliest tokens that together reach ``share`` (Holtzman et al. 2020, arXiv 1904.09751)."""
        ordered, places = chances.sort(descending=True)
        ordered[ordered.cumsum(0) - ordered >= share] = 0
        return self.torch.zeros_like(chances).scatter(0, places, ordered)

    def _take(self, row: _Row, token: int, logits: Any, request: GenerateRequest, *, last: bool) -> Token:
        logprob = None if request.logprobs is None else self._logprob(token, logits, request.logprobs)
        if token in self._ends:
            return self._told(row, request, logprob, finish="stop")
        row.tokens.append(token)
        row.text = self.tokenizer.decode(row.tokens, skip_special_tokens=True)
        stop = min((at for word in request.stop if (at := row.text.find(word)) >= 0), default=None)
        if stop is not None:
            row.text = row.text[:stop]
            return self._told(row, request, logprob, finish="stop")
        return self._told(row, request, logprob, finish="length" if last else "")

    def _told(self, row: _Row, request: GenerateRequest, logprob: TokenLogprob | None, *, finish: str) -> Token:
        """The text not told yet; while it may be half a character, or the beginning of a stop text, it waits."""
        ready = len(row.text) if finish else _certain(row.text, request.stop)
        text = row.text[row.told : ready] if ready > row.told else ""
        row.told = max(row.told, ready)
        return Token(index=row.index, text=text, logprob=logprob, finish=finish)

    def _logprob(self, token: int, logits: Any, alternatives: int) -> TokenLogprob:
        logs = self.torch.log_softmax(logits, dim=-1)
        best = logs.topk(alternatives) if alternatives else None
        top = () if best is None else zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return TokenLogprob(
            token=self.tokenizer.decode([token]),
            logprob=float(logs[token]),
            top=tuple((self.tokenizer.decode([other]), value) for other, value in top),
        )

    def _end_tokens(self) -> frozenset[int]:
        known = [self.tokenizer.eos_token_id, getattr(self.net.generation_config, "eos_token_id", None)]
        flat = [one for item in known for one in (item if isinstance(item, list) else [item])]
        return frozenset(one for one in flat if one is not None)

    def _vectors(self, path: Path) -> Any:
        from safetensors.torch import load_file

        try:
            vectors = load_file(str(path), device=str(self.device))["prompt"]
        except Exception as error:
            raise WeightsError(
                f"{path} is no soft prompt: a safetensors file with 'prompt' is wanted ({error})"
            ) from error
        hidden = self.net.get_input_embeddings().embedding_dim
        if vectors.ndim != 2 or vectors.shape[1] != hidden:
            raise WeightsError(
                f"{path} is a soft prompt of shape {tuple(vectors.shape)}; this model wants (length, {hidden})"
            )
        return vectors


def _certain(text: str, stops: Sequence[str]) -> int:
    """How much of ``text`` will stay as it is, whatever comes next."""
    kept = len(text.rstrip("�"))
    for stop in stops:
        for size in range(min(len(stop) - 1, kept), 0, -1):
            if text[:kept].endswith(stop[:size]):
                kept -= size
                break
    return kept


def _libraries() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError(str(error.name), "torch", "the model transformers") from None
    return torch, transformers


def _device(torch: Any, wanted: str) -> Any:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(wanted)
    except RuntimeError:
        raise ConfigError(f"torch knows no device {wanted!r}: write cpu, cuda or cuda:1") from None
