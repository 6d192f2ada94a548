"""Turn pages of Debian's package sqlite3-doc into the Markdown of this corpus.

    apt-get download sqlite3-doc && dpkg -x sqlite3-doc_*.deb unpacked
    python graphs/corpus/convert.py unpacked/usr/share/doc/sqlite3 graphs/corpus/sqlite

Headings, paragraphs, lists, tables and code are kept word for word. Left out are menus, scripts, syntax diagrams with
their captions, the FAQ's list of its own questions, and the date line at the end of each page.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from agentkit.rag.html import to_markdown

PAGES = """
about autoinc copyright datatype3 different expridx famous faq features flextypegood floatingpoint footprint
foreignkeys fullsql gencol howitworks howtocorrupt inmemorydb isolation json1 lang_aggfunc lang_altertable lang_attach
lang_conflict lang_corefunc lang_createindex lang_createtable lang_createtrigger lang_createview lang_datefunc
lang_delete lang_droptable lang_insert lang_returning lang_savepoint lang_transaction lang_update lang_upsert
lang_vacuum limits locrsf lts mostdeployed omitted onefile partialindex quickstart quirks recovery rowidtable security
selfcontained serverless stricttables support tempfiles threadsafe transactional useovernet versionnumbers wal
whentouse whyc withoutrowid zeroconf
""".split()
CAPTION = re.compile(r"^#{5,6} [a-z-]+:\n\n", re.MULTILINE)
DATE = re.compile(r"\n*This page last modified on .*\Z")
QUESTIONS = re.compile(r"## Frequently Asked Questions\n\n(?:- .*\n)+\n")


def convert(html: str) -> str:
    """One page as Markdown, its title as the only heading of the first level."""
    title, text = to_markdown(html)
    text = DATE.sub("", CAPTION.sub("", text + "\n"))
    text = QUESTIONS.sub("", text)
    first, _, rest = text.partition("\n\n")
    if first.lstrip("# ").casefold() == title.casefold():
        text = rest
    if re.search(r"^# ", text, re.MULTILINE):
        text = re.sub(r"^(#{1,5} )", r"#\1", text, flags=re.MULTILINE)
    return f"# {title}\n\n{text.strip()}\n"


def main(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        text = (source / f"{page}.html").read_text("utf-8")
        (target / f"{page}.md").write_text(convert(text), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
