"""Prints what a vLLM wheel needs for text on a CPU: its own requirements without audio, pictures and torch itself.

python requirements.py WHEEL > requirements.txt
"""

from __future__ import annotations

import sys
import zipfile
from email.parser import Parser
from pathlib import Path

from packaging.requirements import Requirement

_ELSEWHERE = {"torch", "torchaudio", "torchvision", "torchcodec"}
"""torch is installed first, the others only for sound and pictures."""


def main() -> None:
    """Read the wheel named on the command line."""
    with zipfile.ZipFile(Path(sys.argv[1])) as wheel:
        member = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(wheel.read(member).decode())
    for written in metadata.get_all("Requires-Dist") or ():
        requirement = Requirement(written)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in _ELSEWHERE:
            requirement.marker = None
            print(requirement)


if __name__ == "__main__":
    main()
