"""A model as judge of who broke a run: four ways of asking, with votes; an answer that cannot be read is an abstention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from agentkit.errors import AuthenticationError, BudgetExceededError, ModelError, WeightsError
from agentkit.evaluators.planning.attribution import prompts
from agentkit.evaluators.planning.attribution.log import Log
from agentkit.evaluators.planning.attribution.prompts import Reply
from agentkit.evaluators.planning.attribution.ranking import Suspect, ranked
from agentkit.evaluators.planning.attribution.windows import CHARACTERS, window
from agentkit.protocols import Model
from agentkit.runtime.concurrency import gather
from agentkit.runtime.sampling import draw
from agentkit.types import JSON, GenerateRequest, Message, Usage

_OVERHEAD = 600  # tokens of instructions and question marks around a log
_QUESTION = 4000  # characters of the question that are shown
_SURE = 0.9  # chance that the suspects put to a judge must have together
_MOST = 5  # suspects


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a judge said: the ``suspects`` in its order, its ``reason``, and how many of the votes were abstentions.

    ``suspects`` is empty when it did not decide; ``exhausted`` when a budget ended it.
    """

    suspects: tuple[Suspect, ...] = ()
    reason: str = ""
    votes: int = 0
    abstained: int = 0
    exhausted: bool = False
    usage: Usage = field(default_factory=Usage)


@dataclass(kw_only=True)
class Judge:
    """Asks ``model`` ``votes`` times each question, in prompts of at most ``context`` tokens, ``max_calls`` times in all.

    One judge is for one log: it remembers how much was spent and whether a budget ended it.
    """

    model: Model
    votes: int = 1
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int = 0
    context: int = 16_000
    max_calls: int | None = None
    usage: Usage = field(default_factory=Usage)
    cast: int = 0
    abstained: int = 0
    exhausted: bool = False

    async def all_at_once(self, log: Log, evidence: Sequence[Suspect]) -> Ruling:
        """The whole log in one prompt."""
        text = window(log, characters=self._room(log))
        prompt = prompts.asked(prompts.ALL_AT_ONCE, question=_question(log), log=text)
        replies = await self.ask(prompt, "step", prompts.CHOICE, list(range(len(log.turns))))
        return self._ruling(log, replies)

    async def step_by_step(self, log: Log, evidence: Sequence[Suspect]) -> Ruling:
        """Each acting step in turn, with what came before it; the first that a majority calls an error."""
        for turn in log.acting:
            text = window(log, characters=self._room(log), steps=range(turn.index + 1), whole=(turn.index,))
            prompt = prompts.asked(
                prompts.STEP, question=_question(log), log=text, step=turn.index, agent=turn.agent or "unnamed"
            )
            replies = await self.ask(prompt, "error", prompts.VERDICT, [True, False])
            if sum(one.value is True for one in replies) * 2 > sum(one.value is not None for one in replies):
                said = [Reply(value=turn.index if one.value else None, reason=one.reason) for one in replies]
                return self._ruling(log, said)
            if self.exhausted:
                break
        return self._ruling(log, [])

    async def binary_search(self, log: Log, evidence: Sequence[Suspect]) -> Ruling:
        """Halving the log; where the votes are even, the half in which the evidence sees the greater chance."""
        chance = {one.step: one.chance for one in evidence}
        low, high, reason, decided = 0, len(log.turns) - 1, "", 0
        while low < high and not self.exhausted:
            middle = (low + high) // 2
            replies = await self._halves(log, low, middle, high)
            balance = sum(one.value == "first" for one in replies) - sum(one.value == "second" for one in replies)
            decided += balance != 0
            if balance == 0:
                first = sum(chance.get(step, 0.0) for step in range(low, middle + 1))
                balance = 1 if 2 * first >= sum(chance.get(step, 0.0) for step in range(low, high + 1)) else -1
            low, high = (low, middle) if balance > 0 else (middle + 1, high)
            reason = next((one.reason for one in replies if one.reason), reason)
        done = low == high and decided
        return self._ruling(log, [Reply(value=low, reason=reason)] if done else [])

    async def suspects(self, log: Log, evidence: Sequence[Suspect], marks: Mapping[int, str]) -> Ruling:
        """One prompt with the steps that the evidence leaves, likeliest first; the votes weigh against the evidence."""
        lineup = _lineup(evidence)
        names = [one.step for one in lineup]
        listed = "\n".join(f"- step {one.step} ({one.agent}): {marks.get(one.step, 'by its place')}" for one in lineup)
        text = window(log, characters=self._room(log, len(listed)), whole=names)
        values = {"question": _question(log), "suspects": listed, "log": text, "steps": names}
        replies = await self.ask(prompts.asked(prompts.SUSPECTS, **values), "step", prompts.PICK, names)
        counts = Counter(one.value for one in replies if one.value is not None)
        if not counts:
            return self._ruling(log, [])
        given = _weighed(evidence, names, counts)
        return self._ruling(log, replies, given)

    async def ask(self, prompt: str, name: str, form: Mapping[str, JSON], allowed: Sequence[JSON]) -> list[Reply]:
        """``votes`` replies; those that failed or cannot be read have no value."""
        return await gather([partial(self._vote, prompt, name, form, allowed, place) for place in range(self.votes)])

    async def _vote(
        self, prompt: str, name: str, form: Mapping[str, JSON], allowed: Sequence[JSON], place: int
    ) -> Reply:
        self.exhausted = self.exhausted or self.cast == self.max_calls
        if self.exhausted:
            return Reply(value=None)
        self.cast += 1
        found = Reply(value=None)
        try:
            sample = await draw(self.model, self._request(prompt, form, place))
            self.usage += sample.usage
            found = prompts.reply(sample.text, name, allowed)
        except BudgetExceededError:
            self.exhausted = True
        except (AuthenticationError, WeightsError):
            raise
        except ModelError:
            found = Reply(value=None)
        self.abstained += found.value is None
        return found

    def _request(self, prompt: str, form: Mapping[str, JSON], place: int) -> GenerateRequest:
        able = self.model.capabilities
        default = 0.0 if self.votes == 1 else 0.7
        return GenerateRequest(
            messages=(Message("system", prompts.SYSTEM), Message("user", prompt)),
            temperature=default if self.temperature is None else self.temperature,
            max_tokens=self.max_tokens,
            seed=self.seed + place if able.seed else None,
            schema=form if able.schema else None,
        )

    async def _halves(self, log: Log, low: int, middle: int, high: int) -> list[Reply]:
        text = window(log, characters=self._room(log), steps=range(low, high + 1))
        bounds = {"low": low, "middle": middle, "after": middle + 1, "high": high}
        prompt = prompts.asked(prompts.HALF, question=_question(log), log=text, **bounds)
        return await self.ask(prompt, "half", prompts.SIDE, ["first", "second"])

    def _room(self, log: Log, taken: int = 0) -> int:
        return max(1000, (self.context - _OVERHEAD) * CHARACTERS - len(_question(log)) - taken)

    def _ruling(self, log: Log, replies: Sequence[Reply], given: Sequence[float] | None = None) -> Ruling:
        counts = Counter(one.value for one in replies if isinstance(one.value, int))
        found: tuple[Suspect, ...] = ()
        if counts:
            total = sum(counts.values())
            found = ranked(log, given or [counts[turn.index] / total for turn in log.turns])
        reason = next((one.reason for one in replies if found and one.value == found[0].step and one.reason), "")
        return Ruling(
            suspects=found,
            reason=reason,
            votes=self.cast,
            abstained=self.abstained,
            exhausted=self.exhausted,
            usage=self.usage,
        )


def _question(log: Log) -> str:
    return log.question[:_QUESTION]


def _lineup(evidence: Sequence[Suspect]) -> list[Suspect]:
    """The fewest suspects that together hold nearly all the chance, at least two, and not more than a judge can weigh."""
    found: list[Suspect] = []
    for one in evidence[:_MOST]:
        if len(found) > 1 and sum(other.chance for other in found) >= _SURE:
            break
        found.append(one)
    return found


def _weighed(evidence: Sequence[Suspect], names: Sequence[int], counts: Mapping[JSON, int]) -> list[float]:
    """The evidence as prior, the votes as what was observed, with one vote of doubt for each suspect."""
    total = sum(counts.values()) + len(names)
    odds = {
        one.step: one.chance * ((counts.get(one.step, 0) + 1) / total if one.step in names else 1 / total)
        for one in evidence
    }
    whole = sum(odds.values())
    return [odds[step] / whole for step in sorted(odds)]
