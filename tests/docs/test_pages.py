"""The pages of the documentation lead to one another and know the tree that they describe."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")], key=str)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HOUSE = (ROOT / "docs/explanation/architecture.md").read_text()


def links(page: Path) -> list[str]:
    """What a page leads to, outside of its examples."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return LINK.findall(re.sub(r"`[^`\n]*`", "", prose))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_another_page_leads_somewhere(page: Path) -> None:
    local = [link.partition("#")[0] for link in links(page) if "://" not in link and not link.startswith("#")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_how_to_is_in_the_index_once() -> None:
    index = ROOT / "docs/how-to/README.md"
    listed = [link for link in links(index) if "/" not in link]
    assert sorted(listed) == sorted(one.name for one in index.parent.glob("*.md") if one != index)


def test_the_house_draws_the_rooms_of_the_package_and_no_others() -> None:
    picture = HOUSE.partition("```")[2].partition("```")[0].partition("agentkit/")[2]
    there = {one.name for one in (ROOT / "agentkit").iterdir() if one.suffix == ".py"}
    there |= {one.parent.name + "/" for one in ROOT.glob("agentkit/*/__init__.py")}
    drawn = {name for line in picture.splitlines() for name in re.findall(r"(?<!\S)\w+(?:/|\.py)(?!\S)", line)}
    assert drawn == there


def test_the_house_names_no_file_that_is_not_there() -> None:
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", HOUSE))
    assert [one for one in sorted(named) if not any((ROOT / top / one).exists() for top in (".", "agentkit"))] == []
