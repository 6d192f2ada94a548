"""vLLM's engine in this process, on an event loop of its own. Owner of vllm."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from agentkit.errors import (
    ConfigError,
    ContextWindowError,
    MissingExtraError,
    ModelError,
    RequestRefusedError,
    ServerError,
    WeightsError,
)
from agentkit.runtime.concurrency import cancel
from agentkit.types import GenerateRequest, Message

Chunk = dict[str, Any]
"""A piece of a completion, in the words of a streamed OpenAI chat completion."""

_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One sample to draw: the chat, and how; ``adapter`` names a LoRA adapter of the engine's."""

    request: GenerateRequest
    adapter: str = ""


class Engine:
    """A model loaded and ready to draw, for callers of any thread and any event loop.

    ``arguments`` are vLLM's engine arguments, ``adapters`` paths of LoRA adapters by name. Making one takes the time that
    loading takes, so do it in a thread. Raises ``MissingExtraError`` without vllm, ``WeightsError`` for a model that cannot
    be loaded.
    """

    def __init__(self, arguments: Mapping[str, Any], adapters: Mapping[str, str]) -> None:
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")  # it would report its use to its makers
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        try:
            import vllm  # noqa: F401
        except ImportError:
            raise MissingExtraError("vllm", "vllm", "the model vllm") from None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vllm", daemon=True)
        self._thread.start()
        self._numbers = {name: number for number, name in enumerate(adapters, 1)}
        self._adapters, self._drawn = dict(adapters), 0
        try:
            self._engine: Any = self._there(_engine(arguments))
        except Exception as error:
            self._stop()
            told = _last_line(error)
            raise WeightsError(f"vLLM cannot load {arguments['model']!r}: {told}") from error

    async def draw(self, piece: Piece) -> AsyncGenerator[Chunk, None]:
        """The chunks of one sample as they arrive, the last with its usage; closing aborts it in the engine.

        Raises ``ContextWindowError``, ``RequestRefusedError`` and ``ServerError``.
        """
        loop, arrived = asyncio.get_running_loop(), asyncio.Queue[Chunk | Exception | None]()

        def tell(item: Chunk | Exception | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(arrived.put_nowait, item)

        drawing = asyncio.run_coroutine_threadsafe(self._pump(piece, tell), self._loop)
        try:
            while (item := await arrived.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            drawing.cancel()

    def close(self) -> None:
        """End the engine and free its memory."""
        self._there(self._shut())
        self._stop()

    async def _shut(self) -> None:
        self._engine.shutdown()
        await cancel(task for task in asyncio.all_tasks() if task is not asyncio.current_task())

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def _there(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _pump(self, piece: Piece, tell: Callable[[Chunk | Exception | None], None]) -> None:
        try:
            async with aclosing(self._chunks(piece)) as chunks:
                async for chunk in chunks:
                    tell(chunk)
            tell(None)
        except ModelError as error:
            tell(error)
        except ValueError as error:  # vLLM's own word for a request that it cannot serve
            tell(RequestRefusedError(f"vLLM refuses the request: {_last_line(error)}"))
        except Exception as error:  # noqa: BLE001 - carried to the caller's loop and raised there
            tell(ServerError(f"vLLM failed: {_last_line(error)}"))

    async def _chunks(self, piece: Piece) -> AsyncGenerator[Chunk, None]:
        tokens = self._prompt(piece.request)
        self._drawn += 1
        made = self._engine.generate(
            {"prompt_token_ids": tokens},
            _sampling(piece.request),
            f"agentkit-{self._drawn}",
            lora_request=self._lora(piece.adapter),
        )
        asked, drawn = piece.request.logprobs, 0
        async with aclosing(made) as outputs:
            async for output in outputs:
                [one] = output.outputs
                drawn += len(one.token_ids)
                yield _chunk(one, asked)
                if output.finished:
                    yield {"usage": _usage(len(tokens), drawn, output.num_cached_tokens or 0), "choices": []}

    def _prompt(self, request: GenerateRequest) -> Sequence[int]:
        """The tokens of the chat in the model's own template; a last message of the assistant's is continued."""
        tokenizer = self._engine.get_tokenizer()
        continued = request.messages[-1].role == "assistant"
        tokens = tokenizer.apply_chat_template(
            [_turn(message) for message in request.messages],
            add_generation_prompt=not continued,
            continue_final_message=continued,
            tokenize=True,
            return_dict=False,
        )
        room = self._engine.model_config.max_model_len
        if len(tokens) + (request.max_tokens or 1) > room:
            wanted = f"{len(tokens)} tokens of prompt and {request.max_tokens or 1} of answer"
            raise ContextWindowError(
                f"{wanted} do not fit the context of {room} tokens: shorten it, or raise max_model_len"
            )
        return list(tokens)

    def _lora(self, name: str) -> Any:
        from vllm.lora.request import LoRARequest

        return LoRARequest(name, self._numbers[name], self._adapters[name]) if name else None


async def _engine(arguments: Mapping[str, Any]) -> Any:
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    try:
        wanted = AsyncEngineArgs(**arguments)
    except TypeError as error:
        raise ConfigError(f"this vLLM has no such engine argument: {error}") from None
    return AsyncLLM.from_engine_args(wanted)


def _sampling(request: GenerateRequest) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    wanted = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": list(request.stop) or None,
        "logprobs": request.logprobs,
        "structured_outputs": request.schema and StructuredOutputsParams(json=dict(request.schema)),
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    return SamplingParams(n=1, max_tokens=request.max_tokens, output_kind=RequestOutputKind.DELTA, **given)


def _turn(message: Message) -> dict[str, Any]:
    return {"role": message.role, "content": message.content}


def _chunk(one: Any, asked: int | None) -> Chunk:
    choice = {"delta": {"content": one.text}, "finish_reason": one.finish_reason}
    if asked is not None and one.logprobs is not None:
        pairs = zip(one.token_ids, one.logprobs, strict=True)
        choice["logprobs"] = {"content": [_token(drawn, known, asked) for drawn, known in pairs]}
    return {"choices": [choice]}


def _token(drawn: int, known: Mapping[int, Any], asked: int) -> dict[str, Any]:
    """A drawn token with its most likely alternatives; the drawn one itself is always among what vLLM tells."""
    ranked = sorted(known.values(), key=lambda one: -one.logprob)[:asked]
    top = [{"token": one.decoded_token or "", "logprob": one.logprob} for one in ranked]
    return {"token": known[drawn].decoded_token or "", "logprob": known[drawn].logprob, "top_logprobs": top}


def _usage(prompt: int, drawn: int, cached: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": drawn,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
