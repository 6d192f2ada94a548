"""Reflexion: try, be judged, put the lesson into words, try again with it in view (Shinn et al. 2023, arXiv 2303.11366)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agentkit.answers import Convention, Kind
from agentkit.errors import ConfigError
from agentkit.protocols import Model
from agentkit.runtime.estimate import text_tokens
from agentkit.strategies import prompts
from agentkit.strategies.asking import Asking
from agentkit.strategies.conversation import Talk, answered, told_tokens
from agentkit.types import Bounds, Message, Problem, Sample, Solution

_JUDGE = (
    "{{question}}\n\nA proposed answer:\n{{answer}}\n\nCheck it step by step. Then write one word on the last line: "
    "right or wrong."
)
_REFLECT = (
    "This was judged wrong. In a few sentences, say what went wrong and what to do differently next time. Do not answer "
    "again."
)
_LESSONS = "Earlier tries were wrong. What you learned from them:"
_VERDICT = re.compile(r"\b(right|wrong)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Reflexion:
    """Tries up to ``trials`` times; after a try that ``judge`` (the model itself by default) finds wrong, it notes a lesson.

    The lessons, but not the wrong tries, stand before the model at the next try. The last try is not judged, as nothing would
    follow. ``judge_prompt`` is a template over ``{{question}}`` and ``{{answer}}``, answered right or wrong; ``reflect``
    asks for the lesson and ``instruction`` is added to the question. A call that fails ends the trials with the last answer.
    """

    trials: int = 3
    judge: Model | None = None
    judge_prompt: str = _JUDGE
    reflect: str = _REFLECT
    instruction: str = prompts.STEP_BY_STEP
    answer: Kind = "auto"
    convention: Convention = "us"
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise ConfigError(f"trials must be at least 1, not {self.trials}")
        prompts.check(self.judge_prompt, "judge_prompt", ("question", "answer"))

    def bounds(self) -> tuple[Bounds, ...]:
        """A try, and up to a judgement, a lesson and another try for each further trial."""
        more, output = self.trials - 1, self.max_tokens
        text = told_tokens((self.instruction, _LESSONS, self.reflect, *[""] * more))
        tries = Bounds(least=1, most=self.trials + more, output=output, text=text, answers=self.trials)
        asked = text_tokens(self.judge_prompt)
        judged = Bounds(least=1, most=more, output=output, text=asked, answers=1, model=self.judge)
        return (tries, judged) if more else (tries,)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The answer of the last try; ``stopped`` is ``solved`` when it was judged right. ``metadata`` holds the lessons."""
        put, asking = Problem.of(problem), Asking.of(self, model)
        tries: list[Sample] = []
        lessons: list[str] = []
        stopped = "full"
        for trial in range(self.trials):
            talk = Talk(asking=asking, messages=put.messages)
            text = await talk.say(self._told(lessons))
            tries += talk.turns
            if text is None or trial + 1 == self.trials:
                break
            right = await self._right(asking, put, text)
            if right is not False:
                stopped = "solved" if right else "full"
                break
            lesson = await talk.say(self.reflect)
            if lesson is None:
                break
            lessons.append(lesson.strip())
        return answered(asking, tries, self.answer, self.convention, stopped=stopped, lessons=list(lessons))

    def _told(self, lessons: list[str]) -> str:
        notes = "\n".join(f"- {lesson}" for lesson in lessons)
        parts = (f"{_LESSONS}\n{notes}" if lessons else "", self.instruction)
        return "\n\n".join(part for part in parts if part)

    async def _right(self, asking: Asking, problem: Problem, text: str) -> bool | None:
        """The judge's word, None when it could not be had; what cannot be read as right is wrong."""
        asked = prompts.fill(self.judge_prompt, question=prompts.asked(problem), answer=text)
        replies = await asking.ask([Message("user", asked)], model=self.judge, temperature=0.0)
        words = _VERDICT.findall(replies[0].text) if replies else []
        return (bool(words) and words[-1].casefold() == "right") if replies else None
