"""Which language a text is in, from its letters and its most frequent words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from agentkit.text.rarity import rarity

_LOOK_AT = 2000  # characters: enough for frequent words to show, and a megabyte costs no more than a page

_SCRIPTS = (
    ("latin", "AZ az \u00c0\u024f \u1e00\u1eff"),
    ("cyrillic", "\u0400\u04ff"),
    ("ja", "\u3040\u30ff"),
    ("zh", "\u3400\u9fff"),
    ("ko", "\u1100\u11ff \uac00\ud7af"),
    ("ar", "\u0600\u06ff \u0750\u077f"),
    ("he", "\u0590\u05ff"),
    ("el", "\u0370\u03ff \u1f00\u1fff"),
    ("hi", "\u0900\u097f"),
    ("th", "\u0e00\u0e7f"),
    ("ka", "\u10a0\u10ff"),
    ("hy", "\u0530\u058f"),
)
_RANGES = tuple((name, span[0], span[1]) for name, spans in _SCRIPTS for span in spans.split())

_FREQUENT = MappingProxyType(
    {
        "latin": {
            "en": """
            the of and to in is that for it was on are as with his they at be this have from or had by not but
            what were when your can there an which their if will would been has who its he she we you i how
            about do does did after than into only no yes
            """,
            "de": """
            der die und das den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus
            er hat dass sie nach wird bei einer um am sind noch wie einem über so zum war haben nur oder aber
            vor
            """,
            "fr": """
            le la les des et du une est que dans qui pour pas au sur plus par je avec tout mais ou se ce ne sont
            aux cette ont été comme elle il nous vous leur même fait à être
            """,
            "es": """
            el los las de que y en del se por con una para es al lo como más pero sus le ya o este sí porque
            esta entre cuando muy sin sobre también me hasta hay donde son fue ser
            """,
            "it": """
            il di che e la per un non sono una con del della si da come anche più ma al le gli dei nel alla ha
            lo delle era nella questo stato essere
            """,
            "pt": """
            o que e do da em um para com não uma os no se na por mais as dos como mas ao das à seu sua ou quando
            muito nos já eu também pelo pela são foi
            """,
            "nl": """
            de het een van en in is dat op te zijn met voor niet aan er om ook als maar dan bij nog uit naar
            door over werd wordt heeft hebben deze
            """,
            "pl": """
            i w nie na się z do to że jest jak o za od po co ale przez tym był dla są tak czy było oraz które
            który jego ich już
            """,
            "tr": """
            ve bir bu da de için ile olarak çok daha gibi olan en ne kadar sonra ancak var olduğu tarafından
            """,
            "cs": """
            a se na je že v to s z do o k i by ale jako za jsou jeho byl pro které který po od jsem bylo také
            """,
            "sv": """
            och att det i en som är på av för med den till inte har de ett om men var sig så från kan eller
            """,
        },
        "cyrillic": {
            "ru": """
            и в не на что с он как это по но из у к за его от так о для же она вы они было был бы то все мы
            только или до если когда была были является также этот который которые где при её их под чем может
            """,
            "uk": """
            і в не на що з він як це до та за його від для вона був було є або при які який також й у але після
            через їх під
            """,
            "be": """
            і ў не на што з ён як гэта па да за яго ад для яна быў было або пры які якія таксама у але
            """,
            "bg": """
            и на да се за от е в с не са по като що към това при или до му той беше със който които след
            """,
            "sr": """
            и је у да се на за од су са као не што који које али до по из или био била није
            """,
        },
    }
)
_OWN_LETTERS = MappingProxyType(
    {
        "ru": "ыэё",
        "uk": "іїєґ",
        "be": "ўі",
        "sr": "ђћјљњџ",
        "de": "äöüß",
        "fr": "çèêœ",
        "es": "ñ¿¡",
        "pt": "ãõ",
        "pl": "ąęłśż",
        "tr": "ğış",
        "cs": "ěřů",
        "sv": "å",
    }
)
_FREQUENT_SETS = MappingProxyType(
    {script: {name: frozenset(text.split()) for name, text in by_name.items()} for script, by_name in _FREQUENT.items()}
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_OWN = 0.5  # points of a letter that only this language has
_LISTED = 0.25  # points of a word of three letters or more from our lists of frequent English and Russian words


def language(text: str) -> str:
    """The ISO 639-1 code of the language most of ``text`` is in, or ``unknown``.

    A few words without a frequent one among them (a name, a title) are ``unknown`` in the Latin script, which a hundred
    languages share, and ``ru`` in the Cyrillic unless a letter speaks against it. Only the first
    2,000 characters count.
    """
    head = text[:_LOOK_AT].casefold()
    letters = Counter(head)
    script = _script(letters)
    if script not in _FREQUENT_SETS:
        return script
    return _by_words(head, letters, script)


def _script(letters: Mapping[str, int]) -> str:
    counts: Counter[str] = Counter()
    for letter, count in letters.items():
        for name, first, last in _RANGES:
            if first <= letter <= last:
                counts[name] += count
                break
    if not counts:
        return "unknown"
    name, most = counts.most_common(1)[0]
    return "ja" if name == "zh" and counts["ja"] * 10 >= most else name


def _by_words(head: str, letters: Mapping[str, int], script: str) -> str:
    # Single letters of the Latin script are initials, formulae and torn apostrophes as often as words.
    found = Counter(word for word in _WORD.findall(head) if len(word) > 1 or script == "cyrillic")
    points = {
        name: sum(found[word] for word in frequent)
        + _OWN * sum(letters.get(letter, 0) for letter in _OWN_LETTERS.get(name, ""))
        for name, frequent in _FREQUENT_SETS[script].items()
    }
    own = "en" if script == "latin" else "ru"
    points[own] += _LISTED * sum(count for word, count in found.items() if len(word) > 2 and rarity(word) < 1)
    best = max(points, key=lambda name: points[name])
    if points[best]:
        return best
    return "ru" if script == "cyrillic" else "unknown"
