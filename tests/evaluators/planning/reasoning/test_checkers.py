"""Each checker on small chains written by hand, in words of several kinds."""

import json
from pathlib import Path

import pytest

from agentkit.evaluators.planning.reasoning.chain import Chain, Reading, unmarked
from agentkit.evaluators.planning.reasoning.route import read

SAMPLE = Path(__file__).parents[1] / "data" / "bigbench_mistake_sample.jsonl"
ROWS = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
LABEL_WRONG = {"multistep_arithmetic/125": 2}  # the label says none; step 2 says 2 * 1 - 8 + -5 = 2 * 1 - (8 + -5)

SUM = "((-9 - 5 - 0) - (4 + 3 + -5)) * ((3 * 4 * 5) - (7 - -7 * 4)) ="
SWAPS = (
    "Alice, Bob, and Claire are playing a game. At the start of the game, they are each holding a ball: Alice has a yellow ball, "
    "Bob has a blue ball, and Claire has a pink ball.\nAs the game progresses, pairs of players trade balls. First, Claire and "
    "Alice swap balls. Then, Alice and Bob swap balls. Finally, Bob and Claire swap balls. At the end of the game, Claire has "
    "the\nOptions:\n(A) yellow ball.\n(B) blue ball.\n(C) pink ball."
)
BRACKETS = "< { [ ( ) ] } { ("
WORDS = "Sort the following words alphabetically: List: kitten normative scan depression cider decant"
ORDER = (
    "In a golf tournament, there were five golfers: Eve, Rob, Ana, Eli, and Mya.\n- Eve finished first.\n- Rob finished second.\n"
    "- Eli finished below Mya.\n- Ana finished last.\nQ: Which is correct?\nOptions:\n(A) Eve finished third.\n"
    "(B) Mya finished third.\n(C) Eli finished third."
)
PROSE_WORDS = "Sort the following words alphabetically: List: second part oak pine j"
FRUITS = (
    "A fruit stand sells three fruits: pears, figs, and kiwis.\n- The pears are less expensive than the figs.\n"
    "- The kiwis are more expensive than the figs.\nQ: Which is correct?\nOptions:\n(A) The pears are the most expensive.\n"
    "(B) The figs are the most expensive.\n(C) The kiwis are the most expensive."
)
RIGHT = {
    "sum in words": (SUM, [
        "The shape is (A − B) × (C − D) where A equals (−9 − 5 − 0), B equals (4 + 3 + −5), C equals (3 × 4 × 5) "
        "and D equals (7 − −7 × 4).",
        "Since −9 − 5 is −14, A works out to −14.", "Adding 4 and 3 gives 7 and then adding −5 gives 2, thus B is 2.",
        "Multiplying 3 × 4 × 5 yields 60, so C is 60.", "Because −7 × 4 is −28, D is 7 − (−28) = 35.",
        "Consequently the whole is (−14 − 2) × (60 − 35), i.e. −16 × 25, which is −400.",
    ]),
    "swaps told as trades": (SWAPS, [
        "Alice begins with yellow; Bob begins with blue; Claire begins with pink.",
        "The first trade involves Claire and Alice. Alice ends up with pink and Claire with yellow.",
        "The second trade involves Alice and Bob. Alice ends up with blue and Bob with pink.",
        "The last trade involves Bob and Claire. Bob ends up with yellow and Claire with pink.",
        "Claire's ball is pink, which is choice (C).",
    ]),
    "swaps as states only": (SWAPS, [
        "A: yellow, B: blue, C: pink", "A: pink, B: blue, C: yellow", "A: blue, B: pink, C: yellow",
        "A: blue, B: yellow, C: pink", "(C)",
    ]),
    "stack as a list": (BRACKETS, [
        "stack := []", "push < => [<]", "push { => [<, {]", "push [ => [<, {, []", "push ( => [<, {, [, (]", "pop ) => [<, {, []",
        "pop ] => [<, {]", "pop } => [<]", "push { => [<, {]", "push ( => [<, {, (]", "remaining [<, {, (]",
        "closing order: ), }, >", "answer: ) } >",
    ]),
    "stack in sentences": (BRACKETS, [
        "Initially there is nothing on the stack.", "'<' is an opening bracket so it is pushed; the stack holds <.",
        "'{' is an opening bracket so it is pushed; the stack holds < {.", "'[' is pushed, the stack holds < { [.",
        "'(' is pushed, the stack holds < { [ (.", "')' matches '(' so we pop it; the stack holds < { [.",
        "']' matches '[' so we pop it; the stack holds < {.", "'}' matches '{' and is removed; the stack holds <.",
        "'{' is pushed; the stack holds < {.", "'(' is pushed; the stack holds < { (.",
        "No input is left. The stack holds < { (.",
        "To close these we need ) } >.", "The answer is ) } >",
    ]),
    "words without quotes": (WORDS, [
        "kitten begins with k (11), normative begins with n (14), scan begins with s (19), depression begins with d (4), "
        "cider begins with c (3), decant begins with d (4).",
        "By those letters: cider (3), then depression and decant tied (4), then kitten (11), normative (14), scan (19).",
        "I break the tie between depression and decant with the second letter: depression has e (5) and decant has e (5).",
        "They remain tied at 5: [depression, decant]. The list stays cider, [depression, decant], kitten, normative, scan.",
        "The third letters decide: depression has p (16), decant has c (3).",
        "So decant (3) precedes depression (16). The list becomes cider, decant, depression, kitten, normative, scan.",
        "The final sorted list is cider decant depression kitten normative scan.",
    ]),
    "order as numbered places": (ORDER, [
        "Eve finished first: 1. Eve, 2. ?, 3. ?, 4. ?, 5. ?", "Rob finished second: 1. Eve, 2. Rob, 3. ?, 4. ?, 5. ?",
        "Ana finished last: 1. Eve, 2. Rob, 3. ?, 4. ?, 5. Ana", "Eli finished below Mya: 1. Eve, 2. Rob, 3. Mya, 4. Eli, 5. Ana",
        "Answer: (B)",
    ]),
    "order in sentences": (ORDER, [
        "Eve finished first, so first place is taken by Eve.", "Rob finished second, so second place is taken by Rob.",
        "Ana finished last, so fifth place is taken by Ana.",
        "Mya finished above Eli; the remaining places are third and fourth, so Mya must be third and Eli must be fourth.",
        "Therefore Mya finished third. The answer is (B).",
    ]),
    "sum in numbers of several words": (SUM, [
        "Let A stand for (-9 - 5 - 0), B for (4 + 3 + -5), C for (3 * 4 * 5) and D for (7 - -7 * 4); take (A - B) * (C - D).",
        "A comes to minus nine minus five minus zero, which is minus fourteen.", "B: four plus three plus minus five is two.",
        "C: three times four times five equals sixty.", "D: seven plus twenty-eight, which makes thirty-five.",
        "In total: minus sixteen times twenty-five, so the whole is minus four hundred.",
    ]),
    "sum with arrows": (SUM, [
        "Put A = (-9 - 5 - 0); B = (4 + 3 + -5); C = (3 × 4 × 5); D = (7 - -7 × 4)."
        " The expression is then (A - B) × (C - D).",
        "Compute A: A = (-9 - 5 - 0) => (-14 - 0) => -14.", "Compute B: B = (4 + 3 + -5) ⟹ (7 + -5) → 2.",
        "Compute C: $C = (3 \\times 4 \\times 5) \\Rightarrow 60$.", "Compute D: D = (7 - -7 × 4) => (7 + 28) => 35.",
        "Combined: (A - B) × (C - D) = (-14 - 2) × (60 - 35) => -16 × 25 => -400. Answer: -400",
    ]),
    "swaps in words for no swap": (SWAPS, [
        "Before any of it: yellow is with Alice; blue is with Bob; pink is with Claire.",
        "The two involved are Claire and Alice: Alice has pink; Bob has blue; Claire has yellow.",
        "Alice gives theirs to Bob and takes what Bob had: Alice → blue, Bob → pink, Claire → yellow.",
        "Alice(blue), Bob(yellow), Claire(pink) (after this: Claire and Bob change over).",
        "In the end Claire has the pink ball. Answer: (C)",
    ]),
    "stack in a table": (BRACKETS, [
        "At the outset the stack is empty.", "| < | < |", "| { | < { |", "| [ | < { [ |", "| ( | < { [ ( |", "| ) | < { [ |",
        "| ] | < { |", "| } | < |", "| { | < { |", "| ( | < { ( |",
        "No symbols remain, and the stack at this point reads < { (.",
        'These come off the stack one after another: "(", "{", "<".',
        'Hence we must write ")", "}", ">". This makes the answer ) } >',
    ]),
    "words that prose uses too": (PROSE_WORDS, [
        "Sort on the opening letter of each word: `second` gives s (19); `part` gives p (16); `oak` gives o (15); "
        "`pine` gives p (16); "
        "`j` has j = 10",
        "Grouped, that is j comes before oak comes before [part / pine] comes before second.",
        "The tie [part / pine] is broken on letter two: `part` gives a (1); `pine` gives i (9)",
        "Within this group: part comes before pine. "
        "Overall: j comes before oak comes before part comes before pine comes before second.",
        "Final order: j oak part pine second",
    ]),
    "order by what is ruled out": (FRUITS, [
        "The pears have a lower price than the figs, which rules out the pears as the most expensive.",
        "The figs have a lower price than the kiwis; it follows that the figs are not the most expensive.",
        "That leaves one possibility: the kiwis have to be the most expensive. Answer: (C)",
    ]),
}  # fmt: skip
CHANGES = [
    ("sum in words", 2, "gives 7", "gives 8", "arithmetic_wrong"),
    ("sum in words", 3, "yields 60, so C is 60", "yields 70, so C is 70", "arithmetic_wrong"),
    ("sum in words", 0, "(A − B) × (C − D)", "(A − B) × (C + D)", "misquoted"),
    ("swaps told as trades", 1, "Alice ends up with pink", "Alice ends up with blue", "declared_state_wrong"),
    ("swaps told as trades", 2, "Alice and Bob.", "Alice and Claire.", "procedure_violated"),
    ("swaps told as trades", 4, "choice (C)", "choice (A)", "unsupported_conclusion"),
    ("swaps as states only", 3, "B: yellow", "B: pink", "declared_state_wrong"),
    ("swaps as states only", 0, "A: yellow, B: blue", "A: blue, B: yellow", "misquoted"),
    ("stack as a list", 5, "[<, {, []", "[<, {]", "declared_state_wrong"),
    ("stack as a list", 8, "push { =>", "push ( =>", "procedure_violated"),
    ("stack as a list", 12, ") } >", ") }", "unsupported_conclusion"),
    ("stack in sentences", 7, "holds <.", "holds < {.", "declared_state_wrong"),
    ("stack in sentences", 11, ") } >", "} ) >", "unsupported_conclusion"),
    ("words without quotes", 0, "k (11)", "k (12)", "misquoted"),
    ("words without quotes", 1, "kitten (11), normative (14)", "normative (14), kitten (11)", "declared_state_wrong"),
    ("words without quotes", 4, "third letters", "fourth letters", "procedure_violated"),
    ("words without quotes", 5, "decant (3) precedes depression (16)", "depression (16) precedes decant (3)",
     "declared_state_wrong"),
    ("words without quotes", 6, "cider decant depression", "cider depression decant", "unsupported_conclusion"),
    ("order as numbered places", 1, "2. Rob, 3. ?", "2. ?, 3. Rob", "declared_state_wrong"),
    ("order as numbered places", 3, "3. Mya, 4. Eli", "3. Eli, 4. Mya", "declared_state_wrong"),
    ("order as numbered places", 4, "(B)", "(C)", "unsupported_conclusion"),
    ("sum in numbers of several words", 4, "thirty-five", "thirty-six", "arithmetic_wrong"),
    ("sum with arrows", 1, "=> (-14 - 0)", "=> (-13 - 0)", "arithmetic_wrong"),
    ("sum with arrows", 3, "Rightarrow 60", "Rightarrow 50", "arithmetic_wrong"),
    ("swaps in words for no swap", 1, "Claire and Alice:", "Claire and Bob:", "procedure_violated"),
    ("swaps in words for no swap", 3, "Bob(yellow)", "Bob(blue)", "declared_state_wrong"),
    ("stack in a table", 11, '"(", "{", "<"', '"<", "{", "("', "unsupported_conclusion"),
    ("words that prose uses too", 1, "oak comes before [part", "[part", "declared_state_wrong"),
    ("words that prose uses too", 2, "letter two", "letter three", "procedure_violated"),
    ("order by what is ruled out", 1, "the figs are not the most", "the figs are the most", "declared_state_wrong"),
    ("order in sentences", 3, "Mya finished above Eli", "Eli finished above Mya", "misquoted"),
    ("order in sentences", 1, "so second place is taken by Rob", "so third place is taken by Mya", "unsupported_conclusion"),
]  # fmt: skip


def judged(question: str, steps: list[str]) -> Reading:
    return read(Chain(question=question, steps=tuple(steps)))


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_chain_in_ones_own_words_is_read_and_not_flagged(name: str) -> None:
    question, steps = RIGHT[name]
    reading = judged(question, steps)
    assert [flaw.evidence for flaw in reading.flaws] == []
    assert reading.family != "general"
    assert len(reading.checked) >= len(steps) - 1


@pytest.mark.parametrize(("name", "place", "old", "new", "code"), CHANGES)
def test_a_changed_step_is_found_with_its_code(name: str, place: int, old: str, new: str, code: str) -> None:
    question, steps = RIGHT[name]
    assert old in steps[place]
    changed = [*steps[:place], steps[place].replace(old, new), *steps[place + 1 :]]
    reading = judged(question, changed)
    assert reading.first_error == place
    first = next(flaw for flaw in reading.flaws if not flaw.minor)
    assert first.code == code
    assert first.evidence.startswith(f"step {place} ")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_recorded_chains_get_their_label(row: dict, named: bool) -> None:
    chain = Chain(task=row["task"] if named else "", question=row["input"], steps=tuple(row["steps"]))
    assert read(chain).first_error == LABEL_WRONG.get(row["id"], row["mistake_index"])


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Step 3: A = 5", "A = 5"),
        ("**Step 3.** A = 5", "A = 5"),
        ("### Step 3\nA = 5", "A = 5"),
        ("3) A = 5", "A = 5"),
        ("#3 A = 5", "A = 5"),
        ("- A = 5", "A = 5"),
        ("(3) A = 5", "A = 5"),
        ("Шаг 3: A = 5", "A = 5"),
        ("(3 - 3) = 0", "(3 - 3) = 0"),
        ("> ; stack: empty", "> ; stack: empty"),
        ("2 * 3 = 6", "2 * 3 = 6"),
        ("7. A = 5", "7. A = 5"),
    ],
)
def test_numbering_is_taken_off_and_nothing_else(written: str, plain: str) -> None:
    assert unmarked(written, 2) == plain


def test_a_word_respelled_and_kept_so_is_only_a_remark() -> None:
    question, steps = RIGHT["words without quotes"]
    reading = judged(question, [step.replace("normative", "normatif") for step in steps])
    assert reading.first_error is None
    assert [flaw.code for flaw in reading.flaws if flaw.minor] == ["misquoted"]


def test_more_things_than_can_be_enumerated_are_refused_with_a_reason() -> None:
    names = ", ".join(f"a {chr(97 + number) * 3}" for number in range(9))
    question = f"On a branch, there are ten birds: {names}, and a jjj.\n- The aaa is to the left of the bbb."
    reading = judged(question, ["The aaa is to the left of the bbb, so the bbb is not the leftmost."])
    assert "at most 8" in reading.obstacle
