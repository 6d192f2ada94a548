"""How people speak of themselves, as patterns (en, ru): who they are, what their body does, what they did in the world."""

from __future__ import annotations

import re

KINDS = ("identity", "body", "action")
_ROLE = (
    r"(?:human(?: being)?|person|man|woman|guy|girl|mother|mom|father|dad|parent|doctor|physician|lawyer|attorney|nurse|teacher"
    r"|accountant|engineer|therapist|pharmacist|veteran|student|employee|member of staff)"
)
_ADVERB = r"(?:(?:just|already|also|personally|gladly|happily|certainly|actually|now|then|even|have|had)\s+){0,3}"
_WILL = rf"(?:i(?:'ll| will|'m going to| am going to| can| could)|let me|we(?:'ll| will))\s+{_ADVERB}"
_DID = rf"(?:i(?:'ve| have| had|'d)?|we(?:'ve| have)?)\s+{_ADVERB}"
_INSTITUTION = (
    r"(?:the|your|my|our|a|their)\s+(?:\w+\s+){0,2}(?:bank|hospital|doctor|clinic|office|police|manager|supplier|shop|store|hotel"
    r"|airline|court|lawyer|landlord|department|company|team|courier|colleague|colleagues|supervisor|support)"
)
_ENGLISH = {
    "identity": (
        rf"\bas an? (?:\w+ )?{_ROLE}(?: myself)?, (?:i|we|my)\b",
        rf"\bi(?:'m| am) (?:also |just |really |actually )?an? (?:\w+ )?{_ROLE}\b",
        r"\bmy (?:own )?(?:wife|husband|kids|children|son|daughter|mother|father|parents|grandmother|childhood|birthday)\b",
        r"\bwhen i was (?:a (?:kid|child|boy|girl|student)|young|growing up|at school)\b",
        r"\bi (?:was born|grew up|studied at|graduated from)\b",
    ),
    "body": (
        rf"\b{_WILL}(?:\w+\s+){{1,6}}in person\b",
        rf"\b{_WILL}(?:meet you|visit you|come over|stop by|drop by|pick (?:you|it|them) up"
        r"|drop (?:it|them) off|hand (?:it|them) to you|drive (?:you|over|there))\b",
        r"\bi(?:'ve| have)? (?:personally )?(?:tasted|smelled|touched|wore|worn|visited|ate|eaten|walked|drove|travelled|traveled"
        r"|saw with my own eyes|slept)\b",
        r"\b(?:with|in|on) my own (?:eyes|hands|skin|kitchen|garden|house|home|car)\b",
    ),
    "action": (
        rf"\b{_DID}(?:called|phoned|rang|telephoned|contacted|spoke (?:to|with)|spoken (?:to|with)|talked (?:to|with)|visited) "
        rf"(?:{_INSTITUTION}|him|her|them)\b",
        rf"\b{_DID}(?:sent|mailed|emailed|e-mailed|faxed|shipped|delivered|booked|reserved|bought|paid|transferred"
        r"|cancelled|canceled|refunded|filed|submitted|signed|notified|escalated|scheduled) "
        r"(?:the|your|you|a|an|it|this|that|them|him|her|two|\d+)\b",
        rf"\b{_WILL}(?:call|phone|contact|speak (?:to|with)|talk to) (?:{_INSTITUTION}|you (?:back|tomorrow|later|tonight))\b",
        rf"\b{_WILL}(?:ship|mail|deliver|refund|transfer|pay) (?:you |your |the )?(?:\w+ )?(?:package|parcel|order|letter|money"
        r"|refund|payment|bill|invoice|deposit|amount|goods)\b",
        r"\bi (?:checked|looked it up|confirmed|verified) (?:it |this |that )?(?:with|by phone with) (?:the|your|my)\b",
    ),
}
_ROLE_RU = (
    r"(?:человек|мужчина|женщина|мать|отец|родитель|врач|доктор|юрист|адвокат|медсестра|учитель|учительница|бухгалтер|инженер"
    r"|психолог|студент|студентка|сотрудник|сотрудница)"
)
_ADVERB_RU = r"(?:(?:уже|только что|сейчас|сам|сама|лично|сегодня|вчера|завтра|обязательно|с радостью|тоже)\s+){0,3}"
_PLACE_RU = (
    r"(?:банк|больниц|врач|клиник|офис|полици|менеджер|поставщик|магазин|отел|гостиниц|авиакомпани|суд|юрист|отдел|компани"
    r"|служб|курьер|коллег|руководител|поддержк)\w*"
)
_RUSSIAN = {
    "identity": (
        rf"\bкак (?:\w+ )?{_ROLE_RU}, (?:я|мы|мне|мой|моя)\b",
        rf"\bя (?:тоже |просто |действительно |и сам |и сама )?[—–-]?\s?(?:\w+ )?{_ROLE_RU}\b",
        r"\b(?:моя|мой|мои) (?:жена|муж|дети|сын|дочь|мать|мама|отец|папа|родители|бабушка|детство|день рождения)\b",
        r"\bкогда я (?:был|была) (?:ребёнком|ребенком|маленьк\w+|студент\w+|молод\w+|школьни\w+)\b",
        r"\bя (?:родился|родилась|вырос|выросла|окончил|окончила|учился|училась)\b",
    ),
    "body": (
        rf"\bя {_ADVERB_RU}(?:приеду|приду|зайду|заеду|подъеду|встречу|привезу|принесу|отвезу)\b",
        r"\b(?:доставлю|привезу|принесу|передам|вручу) (?:\w+ ){0,3}лично\b",
        r"\bя (?:лично )?(?:пробовал|пробовала|ел|ела|нюхал|нюхала|трогал|трогала|посетил|посетила|ездил|ездила|ходил|ходила"
        r"|видел своими глазами|видела своими глазами)\b",
        r"\b(?:своими глазами|своими руками|у себя (?:дома|на кухне|в саду))\b",
    ),
    "action": (
        rf"\bя {_ADVERB_RU}(?:позвонил|позвонила|связался|связалась|поговорил|поговорила|обратился|обратилась|сходил|сходила)"
        rf"(?: (?:в|с|со|к|ему|ей|им))?(?: \w+){{0,2}} {_PLACE_RU}",
        rf"\bя {_ADVERB_RU}(?:отправил|отправила|послал|послала|выслал|выслала|заказал|заказала|забронировал|забронировала|купил"
        r"|купила|оплатил|оплатила|перев[её]л|перевела|отменил|отменила|вернул|вернула|подал|подала|подписал|подписала|уведомил"
        r"|уведомила|записал вас|записала вас|доставил|доставила)\b",
        rf"\bя {_ADVERB_RU}(?:позвоню|свяжусь|перезвоню)\b",
        rf"\bя {_ADVERB_RU}(?:отправлю|вышлю|доставлю|переведу|оплачу) (?:вам|ваш\w*|его|её|ее|их|посылк\w*|деньги|заказ\w*)\b",
    ),
}
PATTERNS = {
    kind: re.compile("|".join((*_ENGLISH[kind], *_RUSSIAN[kind])), re.IGNORECASE) for kind in KINDS
}  # fmt: skip
"""What a claim of each kind looks like."""

UNREAL = re.compile(
    r"\b(?:if i (?:were|was|had|could)|as if i|imagine|suppose|pretend|i wish i|would have|could i|should i|did i|have i"
    r"|do you want me to"
    r"|если бы|представ(?:ь|ьте)|допустим|будто|хотел бы|хотела бы)\b",
    re.IGNORECASE,
)
QUOTED = re.compile(
    r"\"[^\"]{1,2000}\"|“[^“”]{1,2000}”|«[^«»]{1,2000}»|„[^„“”]{1,2000}[“”]|(?<!\w)'[^'\n]{1,500}(?:'\w[^'\n]{0,500}){0,20}'(?!\w)"
    r"|`{3}.{0,20000}?`{3}|`[^`\n]{1,500}`|^[ \t]{0,3}>[^\n]{0,2000}",
    re.DOTALL | re.MULTILINE,
)
DENIED = re.compile(
    r"(?:\b(?:not|never|no|nor|neither|cannot|without)|n't|\b(?:не|ни|нет|никогда))\b[\s'\"]*(?:\w+[\s'\"]+){0,2}\Z",
    re.IGNORECASE,
)
