"""What people and programs write when something goes wrong in a run: patterns, no model."""

from __future__ import annotations

import re

CODE = re.compile(r"```\w*\n|<code>|<tool_call>|^[ \t]{0,8}(?:Action|Tool call):", re.M)
REPLY = re.compile(r"\s*(?:exit ?code: ?-?\d|There is no code from the last)")
BRIEF = re.compile(r"(?:^|\n)#+ *(?:general )?task\b|\btask description\b|\byou are given\b", re.I)
IDLE = re.compile(r"\s*There is no code from the last")
EXIT = re.compile(r"^\s*exit ?code: ?-?\d+[^\n]*\n?(?:Code output: ?)?|^\s*Code output: ?", re.I)
FAILED = re.compile(
    r"exit ?code: ?-?[1-9]|\bTraceback \(most recent call last\)|\b\w*(?:Error|Exception): |\btimed? ?out\b"
    r"|\b(?:4\d\d|5\d\d) (?:client|server) error|\bpermission denied\b|\bcommand not found\b|^\s*error\b",
    re.I | re.M,
)
NOTHING = re.compile(
    r"\bno (?:\w+ ){0,3}(?:results?|data|match(?:es)?|entries|records?|information)\b"
    r"|\b(?:not|n't) (?:be )?(?:found|find|locate|retrieve)|\bfailed to\b|\bunable to\b"
    r"|^\s*(?:none|null|nan|\[\]|\{\}|set\(\)|0|0\.0)\s*$",
    re.I | re.M,
)
INVENTS = re.compile(
    r"\b(?:hypothetical(?:ly)?|simulat(?:e|ed|ion|ing)|dummy|mock(?:ed)?|place ?holders?|sample data\w*"
    r"|for (?:demonstration|illustration)|fictional|made[- ]up|synthetic|YOUR_\w+"
    r"|your_\w*(?:key|file|path)\w*|path[/_]to[/_]\w+|example\.com)\b",
    re.I,
)
ASSUMES = re.compile(
    r"\b(?:assum(?:e|es|ed|ing|ption|ptions)|presum(?:e|ably|ed|ing)|suppose|likely|probably|estimat(?:e|ed|es)|approximat(?:e|ely)"
    r"|typically|generally known|common(?:ly)? known|from (?:memory|general knowledge)|I (?:believe|recall|think|guess))\b",
    re.I,
)
GIVES_UP = re.compile(
    r"\b(?:I (?:can(?:no|')t|am unable|was unable|am not able|don't have access|do not have access)"
    r"|I'm (?:currently )?(?:unable|not able|sorry)|unfortunately"
    r"|cannot (?:be )?(?:access|determine|complete|directly)\w*|unable to)\b",
    re.I,
)
BY_HAND = re.compile(
    r"\b(?:manual(?:ly)?|by hand|visit (?:the|this)|navigate to|you (?:can|could|should) (?:check|visit|open|search))\b",
    re.I,
)
CONCLUDES = re.compile(
    r"\bTERMINATE\b|\bfinal answer\b|\b(?:we|I) can (?:now )?(?:conclude|finali[sz]e)\b|\btherefore\b|\bthus\b|\bin conclusion\b"
    r"|\bthe (?:correct )?answer (?:is|to)\b",
    re.I,
)
CONFIRMS = re.compile(
    r"\b(?:confirm(?:ed|s)?|verified|validated|agree[ds]?|is (?:correct|accurate)|looks (?:good|correct)|matches"
    r"|consistent with)\b",
    re.I,
)
PLANS = re.compile(
    r"\b(?:step[- ]by[- ]step|plan|steps?:|first,|to begin|let's (?:start|begin)|next steps?|we (?:need|will|should))\b",
    re.I,
)
STALLED = re.compile(
    r"is_in_loop\W{1,4}(?:\{?[^{}]{0,600}?answer\W{1,5}true|true)"
    r"|is_progress_being_made\W{1,4}(?:\{?[^{}]{0,600}?answer\W{1,5}false|false)"
    r"|\bno (?:real )?progress\b|\bstall(?:ed|ing)\b|\b(?:going|stuck) in (?:a )?(?:circles|loop)\b"
    r"|\bupdated? (?:the )?plan\b|\bnew plan\b",
    re.I | re.S,
)
LEDGER = re.compile(
    r"is_request_satisfied|next_speaker|instruction_or_question|fact sheet|updated ledger|\binitial plan\b", re.I
)
LEADS = re.compile(r"orchestrat|manager|planner|coordinat|supervis|leader|\bhost\b|router", re.I)
SECTION = re.compile(r"#{1,6} ?Task description\s*(.*?)(?=\n#|\Z)|#{1,6} ?Task *\n(.*?)(?=\n#|\Z)", re.S | re.I)
