"""IPTC's digital source types: which a picture states, and which an edit makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from tasks.photos.xmp import SOURCE_TYPE

Marking = Literal["none", "compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"]
"""What an operation's result must say: nothing of its own, that a network made parts of it, or that it made it all."""

TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ENHANCED = TERMS + "algorithmicallyEnhanced"
COMPOSITE = TERMS + "compositeWithTrainedAlgorithmicMedia"
GENERATED = SOURCE_TYPE
SYNTHETIC = tuple(TERMS + name for name in ("compositeSynthetic", "digitalCreation", "digitalArt", "algorithmicMedia"))
RANKS = (ENHANCED, *SYNTHETIC, COMPOSITE, GENERATED)
"""From least to most machine-made; an edit never lowers a picture's rank."""


def judge_source_type(markings: Iterable[Marking], before: str) -> str:
    """IPTC's digital source type of an edited picture; `before` is what the input's file said, or "".

    The most that the `markings` of its steps and the input say; `algorithmicallyEnhanced` where none says anything.
    Source: IPTC NewsCodes, "Digital Source Type".
    """
    stated = before.replace("https://", "http://")
    said = [TERMS + marking for marking in markings if marking != "none"]
    return max([ENHANCED, *said, *([stated] if stated in RANKS else [])], key=RANKS.index)
