"""Every environment keeps the contract, in several sizes: solved by its solver, errors found where they are planted."""

from typing import Any

import pytest

from agentkit import Kit
from agentkit.testing.conformance import check_environment

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("running_sum", {}),
    ("running_sum", {"turns": 40, "keys": 3, "digits": 4, "language": "ru"}),
    ("tower_of_hanoi", {}),
    ("tower_of_hanoi", {"discs": 5, "strict": True, "begin_with": "scattered"}),
    ("tower_of_hanoi", {"discs": 3, "language": "ru"}),
    ("blocksworld", {}),
    ("blocksworld", {"blocks": 5, "strict": True, "names": "obfuscated", "unsolvable": 0.4}),
    ("blocksworld", {"blocks": 9, "language": "ru"}),
    ("logistics", {}),
    ("logistics", {"packages": 3, "strict": True, "names": "obfuscated"}),
    ("logistics", {"cities": 3, "places": 3, "packages": 5}),
    ("river_crossing", {}),
    ("river_crossing", {"couples": 4, "boat": 3, "strict": True, "language": "ru"}),
    ("game24", {}),
    ("game24", {"strict": True, "language": "ru"}),
    ("scan", {}),
    ("scan", {"clauses": 4, "new_word": True, "language": "ru"}),
    ("letters_and_lists", {"puzzle": "letters"}),
    ("letters_and_lists", {"puzzle": "reversal", "language": "ru"}),
    ("letters_and_lists", {"puzzle": "dyck", "length": 20}),
    ("letters_and_lists", {"puzzle": "shuffled", "people": 5}),
    ("retail", {}),
    ("retail", {"wishes": 4, "vague": True, "forbidden": 0.5}),
    ("vending", {}),
    ("vending", {"days": 60, "products": 8, "noise": 0.8}),
]


@pytest.mark.parametrize(
    ("name", "options"), SETTINGS, ids=lambda one: one if isinstance(one, str) else "-".join(map(str, one))
)
async def test_an_environment_keeps_its_contract(name: str, options: dict[str, Any]) -> None:
    await check_environment(lambda: Kit(installed=False).environment(name, **options), seeds=range(4))


def test_every_environment_is_checked_here() -> None:
    assert {name for name, _ in SETTINGS} == set(Kit(installed=False).registry.names("environment"))
