"""Holds what players did and heard against what the database holds. Every finding is a fault of the server."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from tests.chaos.aftermath import after
from tests.chaos.finding import (
    ABSENT,
    DISAGREEMENT,
    DOUBLED,
    GAP,
    LOST,
    NEVER_ENDED,
    REFUSAL,
    UNASKED,
    WRONG_SCORE,
    Finding,
)
from tests.chaos.history import ACKNOWLEDGED, REFUSED, Command, Heard, History, Payload
from tests.chaos.ledger import Answer, Ledger, Match

LIVE = frozenset({"waiting", "ready", "in_progress"})
NEVER_REFUSED_WITH = frozenset(
    {"internal", "unauthorized", "unknown_command", "invalid_payload", "forbidden", "not_a_player", "unknown_question",
     "session_full", "own_match", "no_error_given"}
)  # fmt: skip
"""What no player of ours ever deserves: they send nothing that is wrong."""


OF_NO_MATCH = frozenset({"sync_clock", "find_opponent", "cancel_find_opponent"})

Ends = dict[tuple[str, int | None], set[int]]
"""Times (milliseconds) by match, and by the index of its round."""


def judge(history: History, ledger: Ledger, *, bound_ms: int, mend_s: float = 0.0) -> list[Finding]:
    """Return all findings. `bound_ms` is how long after its time a match may still be live.

    `mend_s` is in how many seconds a missed event must be mended: 0 where none may be missed at all.
    """
    return [
        *_commands(history, ledger),
        *_stored(history, ledger, bound_ms),
        *_absences(ledger),
        *_hearings(history, ledger),
        *gaps(history, mend_s),
        *_twice_heard(history, ledger),
        *after(history, ledger),
        *(Finding(DOUBLED, None, text) for text in ledger.counted_twice),
    ]


def _commands(history: History, ledger: Ledger) -> Iterator[Finding]:
    """What was acknowledged is stored, and nothing was refused without a reason."""
    created: dict[tuple[str, str], str] = {}
    for command in history.commands:
        if command.outcome == REFUSED and command.reply["code"] in NEVER_REFUSED_WITH:
            yield Finding(REFUSAL, command.match, f"{_said(command)} was refused: {command.reply}")
        if command.outcome != ACKNOWLEDGED or command.kind in OF_NO_MATCH:
            continue
        match = ledger.matches.get(command.match or "")
        if match is None:
            yield Finding(LOST, command.match, f"{_said(command)} was acknowledged, and its match is not there")
        elif command.player not in match.players:
            yield Finding(LOST, match.id, f"{_said(command)} was acknowledged, and has no seat")
        else:
            if command.kind == "create_pair_quiz":
                first = created.setdefault((command.player, str(command.payload["request_id"])), match.id)
                if first != match.id:
                    yield Finding(DOUBLED, match.id, f"{_said(command)} has made {first} before")
            yield from _kept(command, match)


def _kept(command: Command, match: Match) -> Iterator[Finding]:
    seat = match.players.index(command.player)
    reply = command.reply
    match command.kind:
        case "create_pair_quiz" if seat != 0:
            yield Finding(LOST, match.id, f"{_said(command)} was acknowledged, and another has the first seat")
        case "join_pair_quiz" if seat != 1:
            yield Finding(LOST, match.id, f"{_said(command)} was acknowledged, and another has the second seat")
        case "start_quiz":
            if match.started_at is None:
                yield Finding(LOST, match.id, f"{_said(command)} was acknowledged, and the match has not started")
            elif [question["id"] for question in reply["questions"]] != _told_at_start(match):
                yield Finding(DISAGREEMENT, match.id, f"{_said(command)} got other questions than are stored")
        case "submit_answer":
            yield from _kept_answer(command, match, seat)
        case "quiz_completed" if match.completed_at[seat] is None and match.end_reason in (None, "all_answered"):
            yield Finding(LOST, match.id, f"{_said(command)} was acknowledged, and is not stored")
        case "leave_pair_quiz" if match.forfeited_by is None and match.status in LIVE:
            if match.completed_at[seat] is None:
                yield Finding(LOST, match.id, f"{_said(command)} was acknowledged, and the match goes on")


def _kept_answer(command: Command, match: Match, seat: int) -> Iterator[Finding]:
    reply = command.reply
    stored = match.answer(seat + 1, int(command.payload["question_id"]))
    if stored is None:
        yield Finding(LOST, match.id, f"{_said(command)} was acknowledged, and is not stored")
        return
    receipt = reply["receipt"]
    said = (reply["correct"], reply["points"], receipt["arrived_at"], receipt["judged_at"])
    if said != (stored.correct, stored.points, stored.arrived_at, stored.judged_at):
        yield Finding(WRONG_SCORE, match.id, f"{_said(command)} was acknowledged with {said}, and stored is {stored}")
    if reply["correct_option"] != match.right.get(stored.question_id):
        yield Finding(WRONG_SCORE, match.id, f"{_said(command)} was told that {reply['correct_option']} is right")
    if command.payload["chosen"] != stored.chosen:
        yield Finding(LOST, match.id, f"{_said(command)} was acknowledged, and stored is option {stored.chosen}")
    sums = _sums(match, seat + 1)
    possible = sums[stored.ordinal :] if reply.get("duplicate") else sums[stored.ordinal : stored.ordinal + 1]
    if reply["score"] not in possible:
        yield Finding(WRONG_SCORE, match.id, f"{_said(command)} was told a score of {reply['score']} of {sums}")


def _stored(history: History, ledger: Ledger, bound_ms: int) -> Iterator[Finding]:
    """What is stored was asked for, adds up, and is over."""
    heard = _heard_ends(history)
    asked: dict[tuple[str, str, str], list[Command]] = defaultdict(list)
    creations: Counter[tuple[str, str]] = Counter()
    for command in history.commands:
        if command.kind == "create_pair_quiz":
            creations[command.player, str(command.payload["request_id"])] += 1
        elif command.match is not None and not command.final:
            asked[command.kind, command.match, command.player].append(command)
    invited = (match for match in ledger.matches.values() if match.origin == "invitation")
    requests = Counter((match.players[0], str(match.request_id)) for match in invited)
    for request, count in requests.items():
        if request not in creations:
            yield Finding(UNASKED, None, f"a match of {request} that nobody created")
        if count > 1:
            yield Finding(DOUBLED, None, f"{count} matches of {request}")
    for match in ledger.matches.values():
        for player in (1, 2):
            yield from _answers_asked(match, player, asked)
            yield from _adds_up(match, player, heard)
        yield from _ended(match, ledger.now, bound_ms)
        if match.forfeited_by is not None and match.end_reason != "player_absent":
            quitter = match.players[match.forfeited_by - 1]
            if not asked["leave_pair_quiz", match.id, str(quitter)]:
                yield Finding(UNASKED, match.id, f"{quitter} has lost by leaving, and never left")


def _answers_asked(match: Match, player: int, asked: dict[tuple[str, str, str], list[Command]]) -> Iterator[Finding]:
    who = str(match.players[player - 1])
    given: dict[int, list[Any]] = defaultdict(list)
    for command in asked["submit_answer", match.id, who]:
        given[int(command.payload["question_id"])].append(command.payload["chosen"])
    for answer in match.of(player):
        if answer.chosen not in (choices := given[answer.question_id]):
            yield Finding(UNASKED, match.id, f"{who} has {answer}; of what it said {choices} was not refused for good")
    done, answers = match.completed_at[player - 1] is not None, match.of(player)
    count = len(answers)
    # In rounds, some may be missed, and who has answered in the last one is done.
    last = list(match.right)[-1:]
    played = match.in_rounds and any(answer.question_id in last for answer in answers)
    if done and count < match.question_count and not played and not asked["quiz_completed", match.id, who]:
        yield Finding(UNASKED, match.id, f"{who} is done with {count} answers, and never said so")


def _adds_up(match: Match, player: int, heard: Ends) -> Iterator[Finding]:
    answers = match.of(player)
    who = match.players[player - 1]
    if [answer.ordinal for answer in answers] != list(range(1, len(answers) + 1)):
        yield Finding(DOUBLED, match.id, f"the answers of {who} are numbered {[one.ordinal for one in answers]}")
    for question_id, count in Counter(answer.question_id for answer in answers).items():
        if count > 1:
            yield Finding(DOUBLED, match.id, f"{who} has {count} answers to {question_id}")
    if (score := sum(answer.points for answer in answers)) != match.scores[player - 1]:
        yield Finding(WRONG_SCORE, match.id, f"{who} has {match.scores[player - 1]}, and the answers sum to {score}")
    for answer in answers:
        ends = heard[match.id, list(match.right).index(answer.question_id) if match.in_rounds else None]
        if (answer.correct, answer.base, answer.bonus) not in (due := points(match, answer, ends)):
            yield Finding(WRONG_SCORE, match.id, f"{answer} of {who} should be one of {due}")
        until = match.until(answer.question_id)
        if until is None or answer.judged_at > until:
            yield Finding(WRONG_SCORE, match.id, f"{answer} of {who} came after {until}")


def points(match: Match, answer: Answer, heard: set[int]) -> list[tuple[bool, int, int]]:
    """Return whether an answer is right, its points and its bonus, by the contract and not by the server's code.

    Each outage moves the deadline, in rounds that of the open one, and nobody stores where it was before: where
    players `heard` of several, the bonus lies between those of the first and of the last. (It is between two for what
    arrived in an outage.)
    """
    if match.right.get(answer.question_id) != answer.chosen:
        return [(False, 0, 0)]
    span = match.span_ms
    deadlines = {match.until(answer.question_id), *heard} - {None}
    if not deadlines:
        return []
    least, most = (
        match.speed_bonus * max(0, min(deadline - answer.judged_at, span)) // span
        for deadline in (min(deadlines), max(deadlines))
    )
    return [(True, match.points, bonus) for bonus in range(least, most + 1)]


def _heard_ends(history: History) -> Ends:
    """Return when each match, or each of its rounds, was to end, by all that its players heard."""
    ends: Ends = defaultdict(set)
    for heard in history.heard:
        session_id = str(heard.payload.get("session_id"))
        if heard.payload.get("deadline_at") is not None:
            ends[session_id, None].add(heard.payload["deadline_at"])
        if heard.name == "round_opened":
            ends[session_id, heard.payload["index"]].add(heard.payload["closes_at"])
        now = heard.payload.get("round")
        if now is not None and now["closes_at"] is not None:
            ends[session_id, now["index"]].add(now["closes_at"])
    return ends


def _absences(ledger: Ledger) -> Iterator[Finding]:
    """Our players always come back in time, so that nobody may ever lose by being away."""
    for match in ledger.matches.values():
        if match.end_reason in ("player_absent", "both_absent"):
            yield Finding(ABSENT, match.id, f"it ended by {match.end_reason} of {match.forfeited_by}")


def _ended(match: Match, now: int, bound_ms: int) -> Iterator[Finding]:
    if match.status in LIVE and now > match.due_at + bound_ms:
        yield Finding(NEVER_ENDED, match.id, f"it is {match.status}, and was due {now - match.due_at} ms ago")
    both = all(
        at is not None or len(match.of(player)) == match.question_count
        for player, at in enumerate(match.completed_at, start=1)
    )
    if match.status == "in_progress" and both:
        yield Finding(NEVER_ENDED, match.id, "both have answered everything, and it goes on")
    if match.end_reason == "all_answered" and not both:
        yield Finding(DISAGREEMENT, match.id, "it ended as if both were done")
    until = match.reveals[-1] + match.span_ms if match.reveals else match.deadline_at
    if match.end_reason == "deadline" and (match.ended_at or 0) <= (until or 0):
        yield Finding(DISAGREEMENT, match.id, f"it ended at {match.ended_at}, before {until}")


def _hearings(history: History, ledger: Ledger) -> Iterator[Finding]:
    """What a player heard of a match is what is stored, and so the same for both."""
    for heard in history.heard:
        match = ledger.matches.get(str(heard.payload.get("session_id")))
        if match is None or heard.player not in match.players or heard.payload.get("ok") is False:
            continue
        me = match.players.index(heard.player) + 1
        if heard.payload.get("version", 0) > match.version:
            yield Finding(LOST, match.id, f"{_told(heard)} version {heard.payload['version']} of {match.version}")
        match heard.name:
            case "answer_submitted" if heard.payload["player"] == "opponent":
                yield from _opponents_answer(heard, match, 3 - me)
            case "opponent_completed" if heard.payload["score"] != match.scores[2 - me]:
                yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} a score of {heard.payload['score']}")
            case "quiz_started" if [one["id"] for one in heard.payload["questions"]] != _told_at_start(match):
                yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} other questions than are stored")
            case "round_opened" | "round_closed":
                yield from _round(heard, match, me)
            case "quiz_results":
                yield from _results(heard, heard.payload, match, me)
            case "quiz_state" | "ack:resume_pair_quiz":
                yield from _state(heard, match, me)


def _opponents_answer(heard: Heard, match: Match, player: int) -> Iterator[Finding]:
    stored = match.answer(player, heard.payload["question_id"])
    answered, score = heard.payload["answered"], heard.payload["score"]
    sums = _sums(match, player)
    if stored is None:
        yield Finding(LOST, match.id, f"{_told(heard)} an answer of the opponent that is not stored: {heard.payload}")
    elif answered != stored.ordinal or score not in sums[answered : answered + 1]:
        yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} {answered}, {score} for {stored}, of {sums}")


def _state(heard: Heard, match: Match, me: int) -> Iterator[Finding]:
    state = heard.payload
    for question_id, answer in state["your_answers"].items():
        stored = match.answer(me, int(question_id))
        if stored is None:
            yield Finding(LOST, match.id, f"{_told(heard)} an own answer to {question_id} that is not stored")
        elif (answer["answer"], answer["correct"], answer["points"]) != (stored.chosen, stored.correct, stored.points):
            yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} {answer} for {stored}")
    for player, score in ((me, state["your_score"]), (3 - me, (state["opponent"] or {"score": 0})["score"])):
        if score not in _sums(match, player):
            yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} a score of {score} of {_sums(match, player)}")
    if state["status"] not in LIVE and state["status"] != match.status:
        yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} the end {state['status']}; stored is {match.status}")
    if state.get("results"):
        yield from _results(heard, state["results"], match, me)


def _results(heard: Heard, results: Payload, match: Match, me: int) -> Iterator[Finding]:
    them = 3 - me
    mine, theirs = match.scores[me - 1], match.scores[them - 1]
    said = (results["your_score"], results["opponent_score"], results["outcome"])
    due = (mine, theirs, _outcome(match, me))
    if match.status != "completed" or said != due:
        yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} results {said}; {match.status} with {due}")
    for question in results["questions"]:
        for whose, player in (("your", me), ("opponent", them)):
            stored = match.answer(player, question["id"])
            shown = (question[f"{whose}_answer"], question[f"{whose}_points"])
            if shown != ((stored.chosen, stored.points) if stored else (None, 0)):
                yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} {whose} {shown} for {stored}")


def _round(heard: Heard, match: Match, me: int) -> Iterator[Finding]:
    """A round is of the question that is drawn for its place, and what is told of its end is stored."""
    told = heard.payload
    question_id = told["question"]["id"] if heard.name == "round_opened" else told["question_id"]
    if list(match.right)[told["index"] : told["index"] + 1] != [question_id]:
        yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} round {told['index']} about {question_id}")
    if heard.name == "round_opened":
        return
    for whose, player in (("your", me), ("opponent", 3 - me)):
        stored = match.answer(player, question_id)
        shown = (told[f"{whose}_answer"], told[f"{whose}_points"])
        if shown != ((stored.chosen, stored.points) if stored else (None, 0)):
            yield Finding(DISAGREEMENT, match.id, f"{_told(heard)} a round with {whose} {shown} for {stored}")


def _told_at_start(match: Match) -> list[int]:
    """Return the questions that both hear at the start: in rounds none."""
    return [] if match.in_rounds else list(match.right)


def _outcome(match: Match, me: int) -> str:
    if match.forfeited_by is not None:
        return "lost" if match.forfeited_by == me else "won"
    mine, theirs = match.scores[me - 1], match.scores[2 - me]
    return "draw" if mine == theirs else "won" if mine > theirs else "lost"


@dataclass
class _Gap:
    """Versions that a connection has missed, and the finding that it is if nobody mends it."""

    missing: set[int]
    at: float
    finding: Finding


def gaps(history: History, mend_s: float) -> Iterator[Finding]:
    """On one connection, a match's versions rise by one: nobody misses a change, unless a whole state came.

    What is missed counts as mended if the server tells it after all, or the whole match, within `mend_s`, without
    being asked; and if the connection is gone by then.
    """
    known: dict[tuple[int, str], int] = {}
    open_gaps: dict[tuple[int, str], list[_Gap]] = defaultdict(list)
    for heard in history.heard:
        version, session_id = heard.payload.get("version"), str(heard.payload.get("session_id"))
        if version is None or heard.payload.get("ok") is False or heard.payload.get("duplicate"):
            continue
        key = (heard.connection, session_id)
        for gap in open_gaps[key]:
            if heard.at <= gap.at + mend_s:
                whole = heard.name in ("quiz_state", "quiz_results") and version >= max(gap.missing, default=0)
                gap.missing -= gap.missing if whole else {version}
        before = known.get(key)
        forgetful = history.connections[heard.connection].forgetful
        if before is not None and not heard.is_state and version > before + 1 and not forgetful:
            text = f"{_told(heard)} {heard.name} of version {version} after {before}"
            missing = set(range(before + 1, version))
            open_gaps[key].append(_Gap(missing, heard.at, Finding(GAP, session_id, text)))
        known[key] = max(version, before or 0)
    for (connection, _), some in open_gaps.items():
        for gap in some:
            if gap.missing and (not mend_s or history.connections[connection].closed_at > gap.at + mend_s):
                yield gap.finding


def _twice_heard(history: History, ledger: Ledger) -> Iterator[Finding]:
    """On one connection, no change is heard twice, and a version means the same to everybody."""
    times: Counter[tuple[int, str, str, int]] = Counter()
    meaning: dict[tuple[str, int], tuple[str, int]] = {}
    players = {match.id: match.players for match in ledger.matches.values()}
    for heard in history.heard:
        version, session_id = heard.payload.get("version"), str(heard.payload.get("session_id"))
        if version is None or heard.is_state or heard.payload.get("ok") is False or heard.payload.get("duplicate"):
            continue
        if not heard.name.startswith("ack:"):
            key = (heard.connection, session_id, heard.name, version)
            times[key] += 1
            if times[key] == 2:
                yield Finding(DOUBLED, session_id, f"{_told(heard)} {heard.name} of version {version} twice")
        if heard.name in ("answer_submitted", "ack:submit_answer"):
            mine = heard.payload["player"] == "you"
            others = [player for player in players.get(session_id, ()) if player != heard.player]
            fact = (heard.player if mine else str(others[0]) if others else "?", heard.payload["question_id"])
            first = meaning.setdefault((session_id, version), fact)
            if first != fact:
                yield Finding(DISAGREEMENT, session_id, f"version {version} is {first} and {fact}")


def _sums(match: Match, player: int) -> list[int]:
    """Return the player's score after no answer, after one, and so on."""
    return list(accumulate((answer.points for answer in match.of(player)), initial=0))


def _said(command: Command) -> str:
    return f"#{command.number} {command.kind} {command.payload} of {command.player}"


def _told(heard: Heard) -> str:
    return f"{heard.player} on connection {heard.connection} heard"
