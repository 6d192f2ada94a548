"""Words for an order: which end of it a word means, in space, age, rank, price and size."""

from __future__ import annotations

import re
from dataclasses import dataclass

LOW, HIGH = -1, 1


@dataclass(frozen=True, slots=True)
class Axis:
    """Patterns of one kind of order. ``sooner`` and ``later`` compare two things (the first stands lower or higher);
    ``lowest`` and ``highest`` name an end; ``low`` and ``high`` name the side that a count starts from."""

    name: str
    sooner: str
    later: str
    lowest: str
    highest: str
    low: str
    high: str

    def side(self, text: str) -> int:
        """Which end a word means: ``LOW``, ``HIGH``, or 0 for neither."""
        for pattern, side in ((self.lowest, LOW), (self.highest, HIGH), (self.low, LOW), (self.high, HIGH)):
            if re.fullmatch(rf"(?:the )?(?:{pattern})", text.strip(), re.I):
                return side
        return 0


SPACE = Axis(
    "space",
    r"(?:(?:somewhere |situated |located |anywhere )?(?:to|on|at) the left(?:[- ]hand)?(?: side)? of|"
    r"(?:further |farther )?left of|leftward of|west of|precedes|comes? before|(?<!as )before)",
    r"(?:(?:somewhere |situated |located |anywhere )?(?:to|on|at) the right(?:[- ]hand)?(?: side)? of|"
    r"(?:further |farther )?right of|rightward of|east of|follows|comes? after|(?<!there)after)",
    r"left-?most|(?:far|furthest|farthest)(?: to the)? left|extreme left|left end|far left end",
    r"right-?most|(?:far|furthest|farthest)(?: to the)? right|extreme right|right end|far right end|last",
    r"left(?:[- ]hand)?(?: (?:side|end|edge))?|start|beginning|west|first",
    r"right(?:[- ]hand)?(?: (?:side|end|edge))?|end|east|last",
)
AGE = Axis(
    "age",
    r"(?:older than|elder than|earlier than|predates?|less (?:new|recent|modern) than|more (?:aged|"
    r"ancient) than|not as new as|was made before|came before|comes before|before)",
    r"(?:newer than|younger than|later than|postdates?|less old than|more (?:recent|modern|new) than|"
    r"not as old as|was made after|came after|comes after|after)",
    r"oldest|eldest|earliest|least (?:new|recent|modern)|most (?:aged|ancient)",
    r"newest|youngest|latest|most (?:recent|modern|new)|least old|last",
    r"old|oldest(?: end)?|old end|start|beginning|first|earliest",
    r"new|newest(?: end)?|new end|end|last|youngest|latest",
)
RANK = Axis(
    "rank",
    r"(?:above|ahead of|in front of|higher than|better than|before|(?:beat|beats|defeated|outranked|"
    r"outranks|outperformed|outplaced|bested|preceded))",
    r"(?:below|behind|beneath|underneath|lower than|worse than|after|under|(?:lost to|was beaten by|"
    r"trailed|trails|followed|was outranked by))",
    r"top|best|winner|champion|highest|won",
    r"last|bottom|worst|lowest|final|last place|dead last",
    r"top|front|start|beginning|first|first place|best|highest",
    r"last|end|bottom|back|worst|last place|lowest",
)
PRICE = Axis(
    "price",
    r"(?:(?:less (?:expensive|costly|pricey)|cheaper|lower[- ]priced|lower in price|"
    r"more affordable)(?: than)?|costs? less than|priced? (?:below|lower than|under)|below|"
    r"not as (?:expensive|costly|pricey) as|sells? for less than|(?:a )?lower (?:price|cost|price tag) than|undercuts?)",
    r"(?:(?:more (?:expensive|costly|pricey)|costlier|pricier|dearer|higher[- ]priced|"
    r"higher in price)(?: than)?|costs? more than|priced? (?:above|higher than|over)|above|"
    r"not as cheap as|sells? for more than|(?:a )?higher (?:price|cost|price tag) than)",
    r"cheapest|least (?:expensive|costly|pricey)|lowest[- ]priced|most affordable|lowest(?: in price)?",
    r"most (?:expensive|costly|pricey)|costliest|priciest|dearest|highest[- ]priced|least (?:cheap|"
    r"affordable)|highest(?: in price)?",
    r"cheap|cheapest(?: end)?|least(?: expensive)?|lowest(?: price)?|bottom|low|first",
    r"most(?: expensive)?|expensive|highest(?: price)?|priciest|top|high|last",
)
SIZE = Axis(
    "size",
    r"(?:smaller|shorter|lighter|slower|younger|weaker|lower|less \w+)(?: than)",
    r"(?:larger|bigger|taller|heavier|faster|older|stronger|longer|higher|more \w+)(?: than)",
    r"smallest|shortest|lightest|slowest|youngest|weakest|lowest|least \w+",
    r"largest|biggest|tallest|heaviest|fastest|oldest|strongest|longest|highest|most \w+",
    r"small|short|light|slow|smallest|shortest|lightest|slowest|bottom",
    r"large|big|tall|heavy|fast|largest|tallest|heaviest|fastest|top",
)
_AXES = (SPACE, AGE, RANK, PRICE, SIZE)
_TELLING = {
    "space": r"\b(?:left|right|leftmost|rightmost)\b",
    "age": r"\b(?:older|newer|oldest|newest)\b",
    "rank": r"\b(?:finish(?:ed|es)?|above|below|ahead of|behind|place[ds]?|rank(?:ed|s)?)\b",
    "price": r"\b(?:expensive|cheap(?:er|est)?|cost(?:s|lier|liest)?|pric(?:ey|ier|iest))\b",
    "size": r"\b(?:taller|shorter|heavier|lighter|faster|slower|bigger|larger|smaller|longer|younger)\b",
}


def axis_of(question: str) -> Axis | None:
    """The kind of order that a question is about, or None."""
    counts = {axis.name: len(re.findall(_TELLING[axis.name], question, re.I)) for axis in _AXES}
    best = max(_AXES, key=lambda axis: counts[axis.name])
    return best if counts[best.name] else None
