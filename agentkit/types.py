"""The values that cross walls: frozen, keyword-only, plain data.

Everything here can be compared, hashed into a journal key and written as JSON; nothing here does any work.
Collections are tuples, so that a value once made stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JSON = Any
"""A value made of dict, list, str, int, float, bool and None."""

Path = tuple[str | int, ...]
"""Where something stands in a document: ``("nodes", "solve", "with", "samples")``."""

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model's wish to call a tool; ``arguments`` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """What a model is told about a tool; ``parameters`` is a JSON Schema of the arguments object."""

    name: str
    description: str
    parameters: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """What to draw from a model: ``n`` samples that continue ``messages``.

    ``None`` leaves a knob at the backend's default. ``logprobs`` is the number of alternatives wanted a token
    (0: the drawn token only). ``schema`` is a JSON Schema that the text must satisfy. With ``stream`` the model also
    yields a ``Delta`` for each piece of text as it arrives, before the ``Sample`` it belongs to. Sample ``i`` of a request
    with a ``seed`` is drawn with ``seed + i``, so that a part of a request can be asked for later.
    """

    messages: tuple[Message, ...]
    n: int = 1
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    schema: Mapping[str, JSON] | None = None
    logprobs: int | None = None
    effort: Literal["low", "medium", "high"] | None = None
    max_reasoning_tokens: int | None = None
    stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What work cost; adds up with ``+``.

    ``seconds`` is time spent waiting for models, summed over calls, so parallel calls can exceed the wall clock.
    ``usd`` counts priced calls only; ``unpriced_calls`` says how many had no known price.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    unpriced_calls: int = 0

    @property
    def tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            seconds=self.seconds + other.seconds,
            usd=self.usd + other.usd,
            unpriced_calls=self.unpriced_calls + other.unpriced_calls,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """A drawn token, its natural-log probability, and the most likely alternatives, best first."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One drawn completion. ``index`` is its place (0-based) among the ``n`` of its request.

    ``recorded`` says that it came from a journal or a cassette and no model was asked; equality does not look at it.
    """

    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[TokenLogprob, ...] | None = None
    usage: Usage = field(default_factory=Usage)
    finish_reason: FinishReason = "stop"
    index: int = 0
    model: str = ""
    recorded: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A piece of the sample ``index`` as it arrives; yielded only for a request with ``stream``."""

    text: str = ""
    reasoning: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can honour; the engine checks a graph against it before a token is spent.

    ``continues``: a last message of the assistant's is gone on with, not answered.
    """

    n: bool = True
    logprobs: bool = False
    tools: bool = False
    schema: bool = False
    seed: bool = False
    reasoning: bool = False
    stream: bool = False
    continues: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text to read or a passage retrieved from one.

    ``source`` is where a person finds it (a path or URL), ``start`` the offset of ``text`` in the whole source,
    ``score`` the retriever's, higher is better.
    """

    text: str
    id: str = ""
    title: str = ""
    source: str = ""
    start: int = 0
    score: float | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Answer characters ``[start, end)`` rest on document ``document`` (0-based), whose source the reader may open."""

    number: int
    start: int
    end: int
    document: int
    source: str = ""
    title: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Characters ``[start, end)`` of document ``document`` (0-based) that a finding rests on."""

    document: int
    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something an evaluator noticed, with the place and the reason.

    ``code`` is stable and machine-readable, ``message`` is for people. A finding about text has ``start``, ``end``
    (characters of the original string) and ``text``; one about a trace has ``step`` (0-based) and perhaps ``agent``.
    ``kind`` is the verdict on the span: ``supported``, ``contradicted``, ``not_found``, ... ``confidence`` is in [0, 1].
    """

    code: str
    message: str
    kind: str = ""
    start: int | None = None
    end: int | None = None
    text: str = ""
    step: int | None = None
    agent: str | None = None
    evidence: Evidence | None = None
    confidence: float = 1.0
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """An evaluator's verdict: ``value`` in [0, 1], or None with a ``reason`` when it could not be scored. Never NaN."""

    value: float | None
    status: Literal["scored", "unscored", "error"] = "scored"
    label: str = ""
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    evaluator: str = ""
    version: str = ""
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of data: what went in, what came out, what should have, and the documents it rests on."""

    id: str = ""
    input: JSON = None
    output: JSON = None
    target: JSON = None
    documents: tuple[Document, ...] = ()
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a strategy is to solve: the question, and the conversation that puts it to the model.

    ``question`` is the bare question, ``messages`` the full conversation to sample from (its last turn asks the question,
    with documents and worked examples where there are any).
    """

    question: str
    messages: tuple[Message, ...]
    documents: tuple[Document, ...] = ()
    metadata: Mapping[str, JSON] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: str | Problem) -> Problem:
        """The problem itself, or the one that asks this text as a single user turn."""
        if isinstance(problem, Problem):
            return problem
        return cls(question=problem, messages=(Message("user", problem),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One distinct answer, how many samples gave it, and which (indices into ``Solution.samples``)."""

    answer: str
    count: int
    weight: float
    samples: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """A node of a search tree. ``parent`` is an index into ``Solution.tree``; ``depth`` counts from 0."""

    text: str
    parent: int | None = None
    depth: int = 0
    value: float | None = None
    state: str = ""
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A strategy's answer with the evidence for it; ``answer`` is None when nothing could be extracted.

    ``confidence`` is in [0, 1]; for a vote it is the winner's share. ``stopped`` says why sampling ended: ``full``,
    ``certain``, ``rule``, ``budget``, ``solved`` or ``exhausted``.
    """

    answer: str | None
    votes: tuple[Vote, ...] = ()
    samples: tuple[Sample, ...] = ()
    tree: tuple[Thought, ...] = ()
    confidence: float | None = None
    stopped: str = ""
    usage: Usage = field(default_factory=Usage)
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a run waits for a person to say; ``id`` names its place: ``review``, ``review:1`` (second visit), ``each/item:3``.

    ``kind`` tells what answers: a ``text``; a ``choice`` among ``choices``; ``approve`` with true or false, or with
    ``{approved, comment}``; a ``form`` with data that fits ``schema``. One about a call of ``tool`` shows its ``arguments``,
    and ``{approved: true, arguments: ...}`` puts others, which fit ``schema``, in their place. ``default`` is what stands
    in where nobody answers.
    """

    id: str
    text: str
    kind: Literal["text", "choice", "approve", "form"] = "text"
    choices: tuple[str, ...] = ()
    schema: Mapping[str, JSON] | None = None
    default: JSON = None
    tool: str = ""
    arguments: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many samples a component draws of one model, known before it runs: at ``least`` and at ``most`` (None: no bound).

    They hold for work in which no call fails and no budget cuts in. ``model`` is the one asked (None: the one that the component
    is given). A sample has at most ``output`` tokens (None: as many as the model allows); its prompt holds the problem
    ``problems`` times, ``answers`` earlier samples, and beside them at most ``text`` tokens (None: no bound). ``needs``
    names the capabilities without which the component cannot work, such as ``logprobs``. ``vote`` says that its samples
    are of use only where they can differ.
    """

    least: int = 1
    most: int | None = 1
    model: Any = None
    output: int | None = None
    text: int | None = 0
    answers: int = 0
    problems: int = 1
    needs: frozenset[str] = frozenset()
    vote: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an environment says of one action; ``code`` names what is wrong with it (empty: nothing), ``message`` says it.

    ``result`` is what a call gave back, ``state`` the world after the action as plain data. With ``done`` the episode is over,
    and ``success`` says whether the task was solved.
    """

    code: str = ""
    message: str = ""
    result: JSON = None
    state: JSON = None
    done: bool = False
    success: bool | None = None


RunStatus = Literal["succeeded", "failed", "cancelled", "interrupted", "exhausted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a graph: its ``output`` by name (None where nothing was produced), what it cost and how it ended.

    ``exhausted``: a budget ended it, and the output is the best so far. ``kept`` names the nodes whose results a resumed run
    would not pay for again, in the order of finishing. ``seconds`` is the time on the clock. ``interrupted``: it waits for
    answers to the questions ``pending``, and goes on when resumed with them.
    """

    id: str
    graph: str
    status: RunStatus
    output: Mapping[str, JSON]
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    error: str = ""
    kept: tuple[str, ...] = ()
    pending: tuple[Question, ...] = ()
