"""HTML as Markdown: headings, paragraphs, lists, code and table rows kept; scripts, menus and drawings left out."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SKIPPED = {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "audio", "video"}
_SKIPPED |= {"nav", "footer", "select", "button", "form"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
_BLOCKS = {
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
}
_BLOCKS |= {"dt", "fieldset", "figcaption", "figure", "header", "hr", "html", "li", "main", "ol", "p", "pre", "section"}
_BLOCKS |= {"summary", "table", "tbody", "tfoot", "thead", "tr", "ul", "h1", "h2", "h3", "h4", "h5", "h6"}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CELLS = {"td", "th"}
_BOLD = {"b", "strong"}
_NOT_CONTENT = {"nosearch", "noindex", "sr-only", "visually-hidden"}
_ROLES = {"navigation", "search", "banner", "contentinfo"}
_CELL = re.compile(r"[ \t\n]*\x1f[ \t\n\x1f]*")  # what stands between two cells, while a row is gathered
_SPACE = re.compile(r"[ \t\n\r\f]+")
_LONGEST_HEADING = 200


def to_markdown(html: str) -> tuple[str, str]:
    """The title and the text of an HTML page; ``#`` marks its headings, ``-`` list items, `````` ``` `````` code.

    Tags that are never closed, closed twice or unknown do no harm. A paragraph that is bold throughout and stands alone is
    taken for a heading, as old pages have it.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.end_block()
    title = _SPACE.sub(" ", "".join(reader.title)).strip()
    return title or reader.first_heading, "".join(reader.blocks)


class _Reader(HTMLParser):
    """Gathers text into blocks; a block ends where a block element starts or ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.blocks: list[str] = []
        self.first_heading = ""
        self._text: list[str] = []
        self._plain = False  # the block holds text that is not bold
        self._bold = 0
        self._heading = 0
        self._item = False
        self._code = 0
        self._in_title = False
        self._skipping = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            self._depth += tag == self._skipping
        elif tag not in _VOID and (_leave_out(tag, dict(attrs)) or (tag == "title" and self.title)):
            self._skipping, self._depth = tag, 1
        elif tag == "title":
            self._in_title = True
        else:
            self._open(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._skipping and tag in _VOID:
            self._open(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            self._depth -= tag == self._skipping
            self._skipping = self._skipping if self._depth else ""
        elif tag == "title":
            self._in_title = False
        else:
            self._close(tag)

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._in_title:
            self.title.append(data)
            return
        self._text.append(data.replace("\x1f", " "))
        self._plain = self._plain or not (self._bold or data.isspace())

    def end_block(self) -> None:
        """Keep what was gathered as one block, in the form of what it stood in."""
        text = "".join(self._text)
        text = text.strip("\n") if self._code else _SPACE.sub(" ", _CELL.sub(" | ", text.strip("\x1f \t\n"))).strip()
        if text.strip():
            self._keep(text)
        self._text, self._plain, self._item = [], False, self._item and not text.strip()

    def _keep(self, text: str) -> None:
        bold = bool(self._bold or not self._plain) and not self._item and len(text) <= _LONGEST_HEADING
        if self._code:
            self._add("```\n" + text.replace("```", "` ` `") + "\n```")
        elif self._heading:
            self.first_heading = self.first_heading or text
            self._add(f"{'#' * self._heading} {text}")
        elif bold and any(char.isalpha() for char in text):
            self._add(f"###### {text}")
        elif self._item:
            self._add(f"- {text}")
        else:
            self._add(f"\\{text}" if text.startswith("#") else text)

    def _add(self, block: str) -> None:
        """Items of one list stand on following lines, other blocks are parted by an empty one."""
        if self.blocks:
            listed = block.startswith("- ") and self.blocks[-1].startswith("- ")
            self.blocks[-1] += "\n" if listed else "\n\n"
        self.blocks.append(block)

    def _open(self, tag: str) -> None:
        if tag == "br":
            self._text.append("\n" if self._code else " ")
        elif tag in _CELLS:
            self._text.append("\x1f")
        elif tag in _BOLD:
            self._bold += 1
        elif tag in _BLOCKS:
            self.end_block()
            self._heading = _HEADINGS.get(tag, 0)
            self._item = tag == "li" or (self._item and tag == "p")
            self._code += tag == "pre"

    def _close(self, tag: str) -> None:
        if tag in _BOLD:
            self._bold = max(0, self._bold - 1)
        elif tag in _BLOCKS:
            self.end_block()
            self._heading, self._item, self._bold = 0, False, 0
            self._code = max(0, self._code - (tag == "pre"))


def _leave_out(tag: str, attributes: dict[str, str | None]) -> bool:
    """Whether an element is machinery rather than content."""
    if tag in _SKIPPED or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    if "display:none" in (attributes.get("style") or "").replace(" ", ""):
        return True
    classes = (attributes.get("class") or "").split()
    return attributes.get("role") in _ROLES or not _NOT_CONTENT.isdisjoint(classes)
