"""The same duel on python-socketio with its defaults: handlers, rooms, `sio.emit`; in memory."""

import asyncio
import json
import random
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import socketio
from aiohttp import web

BANK = json.loads((Path(__file__).parents[2] / "pairquiz_server" / "starter" / "general.json").read_text())["questions"]

sio = socketio.AsyncServer()
matches: dict[str, dict[str, Any]] = {}


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@sio.event
async def connect(sid: str, environ: dict[str, Any]) -> None:
    """Welcome a guest."""
    body = {"user_id": f"guest:{sid}", "server_time": now(), "protocol": 1, "region": "local", "sessions": []}
    await sio.emit("welcome", body, to=sid)


@sio.event
async def create_pair_quiz(sid: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Let a match wait for an opponent."""
    match_id = str(uuid.uuid4())
    matches[match_id] = {
        "id": match_id,
        "version": 1,
        "count": payload["question_count"],
        "told": 0,
        "seats": [_seat(sid)],
    }
    await sio.enter_room(sid, match_id)
    body = {
        "session_id": match_id,
        "topic": payload["topic"],
        "join_url": f"/pair-quiz/{match_id}",
        "join_code": "6RKFB6XZ",
        "status": "waiting_for_opponent",
        "version": 1,
    }
    await sio.emit("quiz_created", body, to=sid)
    return {"ok": True, **body}


@sio.event
async def join_pair_quiz(sid: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Take the second seat."""
    match = matches[payload["session_id"]]
    match["seats"].append(_seat(sid))
    match["version"] += 1
    await sio.enter_room(sid, match["id"])
    opponent = {"display_name": "Guest", "connected": True}
    body = {"session_id": match["id"], "status": "ready_to_start", "opponent": opponent, "version": match["version"]}
    await sio.emit("opponent_joined", body, room=match["id"])
    return {"ok": True, **body}


@sio.event
async def start_quiz(sid: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Draw the questions."""
    match = matches[payload["session_id"]]
    drawn = random.sample(range(len(BANK)), match["count"])
    match["questions"] = {index + 1: BANK[index] for index in drawn}
    match["version"] += 1
    body = {
        "session_id": match["id"],
        "questions": [
            {"id": key, "text": one["text"], "options": one["options"], "kind": "single_choice", "lang": "en"}
            for key, one in match["questions"].items()
        ],
        "time_limit": 300,
        "started_at": now(),
        "deadline_at": now() + 300_000 * match["count"],
        "pace": "free",
        "version": match["version"],
    }
    await sio.emit("quiz_started", body, room=match["id"])
    return {"ok": True, **body}


@sio.event
async def submit_answer(sid: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Judge an answer; the opponent hears of it at once, the results follow the acknowledgement."""
    match = matches[payload["session_id"]]
    mine, theirs = sorted(match["seats"], key=lambda seat: seat["sid"] != sid)
    key, chosen = payload["question_id"], payload["answer"]
    right = match["questions"][key]["correct"]
    points = 150 if chosen == right else 0
    judged = _receipt(points)
    mine["answers"][key] = (chosen, points, judged)
    mine["score"] += points
    match["version"] += 1
    shared = {"session_id": match["id"], "score": mine["score"], "version": match["version"]}
    answered = len(mine["answers"])
    shown = {"question_id": key, "player": "opponent", "answered": answered, **shared}
    await sio.emit("answer_submitted", shown, room=match["id"], skip_sid=sid)
    if answered == match["count"]:
        if len(theirs["answers"]) < match["count"]:
            await sio.emit("opponent_completed", shared, room=match["id"], skip_sid=sid)
        match["told"] += 1  # both acknowledgements go before the results, and are sent when the handlers return
        if match["told"] == 2:
            sio.start_background_task(_tell_results, match)
    return {
        "ok": True,
        "question_id": key,
        "player": "you",
        "correct": chosen == right,
        "correct_option": right,
        "points": points,
        **shared,
        "receipt": judged,
    }


async def _tell_results(match: dict[str, Any]) -> None:
    for mine, theirs in (match["seats"], match["seats"][::-1]):
        difference = mine["score"] - theirs["score"]
        body = {
            "session_id": match["id"],
            "your_score": mine["score"],
            "opponent_score": theirs["score"],
            "outcome": "won" if difference > 0 else "lost" if difference < 0 else "draw",
            "reason": "all_answered",
            "questions": [
                {
                    "id": key,
                    "correct_option": one["correct"],
                    "your_answer": mine["answers"][key][0],
                    "opponent_answer": theirs["answers"][key][0],
                    "your_points": mine["answers"][key][1],
                    "opponent_points": theirs["answers"][key][1],
                    "receipt": mine["answers"][key][2],
                    "explanation": one["explanation"],
                }
                for key, one in match["questions"].items()
            ],
            "opponent": {"display_name": "Guest"},
            "version": match["version"] + 1,
        }
        await sio.emit("quiz_results", body, to=mine["sid"])
        await sio.leave_room(mine["sid"], match["id"])
    matches.pop(match["id"], None)


def _seat(sid: str) -> dict[str, Any]:
    return {"sid": sid, "score": 0, "answers": {}}


def _receipt(points: int) -> dict[str, Any]:
    reason = "right: 100, for speed: 50" if points else "wrong: 0"
    return {"arrived_at": now(), "lag_credit_ms": 0, "judged_at": now(), "points": points, "reason": reason}


async def _serve() -> None:
    application = web.Application()
    sio.attach(application)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"listening on http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
