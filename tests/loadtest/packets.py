"""Which packet is which, and how one is changed, for who stands between."""

import json
from collections.abc import Callable
from typing import Any

from tests.loadtest.meddler import Mend


def once(fits: Callable[[str], bool], change: Mend) -> Mend:
    """Change the first packet that fits, and no other."""
    left = [True]

    def mend(packet: str) -> list[str]:
        if left[0] and fits(packet):
            left[0] = False
            return change(packet)
        return [packet]

    return mend


def edited(change: Callable[[dict[str, Any]], None]) -> Mend:
    """Change what a packet says."""

    def mend(packet: str) -> list[str]:
        start = packet.index("[")
        body = json.loads(packet[start:])
        change(body[-1])
        return [packet[:start] + json.dumps(body, separators=(",", ":"))]

    return mend


def is_answers_acknowledgement(packet: str) -> bool:
    return packet.startswith("43") and '"receipt"' in packet


def is_right_answers_acknowledgement(packet: str) -> bool:
    return is_answers_acknowledgement(packet) and '"correct":true' in packet


def is_opponents_answer(packet: str) -> bool:
    return packet.startswith('42["answer_submitted"')


def is_results(packet: str) -> bool:
    return packet.startswith('42["quiz_results"')


def raised_score(said: dict[str, Any]) -> None:
    said["score"] += 1
