"""Sentences that decline to answer or say that the sources are silent (en, ru)."""

from __future__ import annotations

import re

_LOOK_AT = 300  # characters: a refusal says so early

_SOURCES = (
    r"(?:provided |given |available |supplied |retrieved |above )*"
    r"(?:documents?|context|sources?|texts?|passages?|articles?|information|materials?|excerpts?)"
)
_TOLD = r"(?:mentioned|provided|found|specified|stated|given|available|included|discussed|covered|addressed|contained)"
_TELL = r"(?:mention|provide|contain|say|state|specify|include|discuss|answer|give|cover|address)"
_ENGLISH = (
    r"i(?:'m| am) (?:sorry|afraid)\b.{0,40}\b(?:can(?:no|')t|unable|don't|do not)\b",
    r"i (?:can(?:no|')t|can not|could not|couldn't|am unable to|am not able to|won't be able to) "
    r"(?:answer|help|assist|find|provide|determine|comply|say|tell)\b",
    r"i (?:do not|don't) know(?: the answer)?(?: to (?:this|that)(?: question)?)?\s*[.!]*\Z",
    r"i (?:do not|don't) have (?:enough |any |sufficient |that |this )*(?:information|data|context|details|access)",
    rf"(?:this|that|it|the answer|the information|there)\b.{{0,60}}\bnot {_TOLD}\b.{{0,20}}\b(?:in|by) "
    rf"(?:the |these |this |any )?{_SOURCES}",
    rf"(?:the |these |this |your )?{_SOURCES} (?:do|does|did)(?: not|n't) (?:\w+ )?{_TELL}\b",
    r"(?:there is |there's |i found |i have )?no (?:relevant |such |specific )?(?:information|mention|answer|data)\b"
    rf".{{0,60}}{_SOURCES}",
    rf"not (?:found|stated|mentioned|given) in (?:the )?{_SOURCES}",
    r"(?:the )?(?:answer|question) (?:cannot|can't) be (?:found|determined|answered)\b",
)
_SOURCE_RU = r"(?:документ\w*|источник\w*|текст\w*|контекст\w*|отрывк\w*|стать\w*|материал\w*)"
_RUSSIAN = (
    r"(?:я )?не знаю(?: ответа?)?(?: на (?:этот|ваш) вопрос)?\s*[.!]*\Z",
    r"(?:я )?не (?:могу|смог|смогла) (?:ответить|помочь|найти|определить|сказать|предоставить)",
    r"(?:у меня )?(?:нет|недостаточно) (?:достаточной |такой |этой |нужной )?(?:информации|данных|сведений|ответа)",
    rf"(?:в|из) (?:предоставленн\w+ |данн\w+ |эт\w+ |приведённ\w+ |приведенн\w+ )*{_SOURCE_RU}\b.{{0,40}}"
    r"\b(?:нет|не (?:указан|упомян|упомина|найден|говорится|сказано|содержит|сообщается|приводится))",
    rf"(?:предоставленн\w+ |данн\w+ )?{_SOURCE_RU} не (?:содерж|упомина|сообща|да\w+ ответ)",
    rf"(?:\w+ ){{0,4}}не (?:найден|указан|упомина|упомянут)\w* в (?:\w+ )?{_SOURCE_RU}",
)
_REFUSAL = re.compile(rf"(?:{'|'.join(_ENGLISH)}|(?:к сожалению,? )?(?:{'|'.join(_RUSSIAN)}))", re.I)
_POLITE = re.compile(r"(?:unfortunately|sorry|i'm sorry|i apologi[sz]e|простите|извините)\b[,.]?\s*(?:but )?", re.I)


def is_refusal(sentence: str) -> bool:
    """Whether a sentence declines to answer, or says that the sources do not tell."""
    plain = sentence[:_LOOK_AT].replace("’", "'").strip()
    return bool(_REFUSAL.match(plain) or _REFUSAL.match(_POLITE.sub("", plain, count=1)))
