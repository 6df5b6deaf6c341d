"""A row for each command: what it carries, how it is answered, and what is done with it. A new command is a new row."""

from msgspec import Struct

from pairquiz_server.protocol import events, payloads
from pairquiz_server.protocol.performing import meeting, oneself, playing
from pairquiz_server.protocol.sending import Perform
from pairquiz_server.rules.errors import Code

ANY_COMMAND = (Code.INVALID_PAYLOAD, Code.RATE_LIMITED, Code.STORAGE_UNAVAILABLE, Code.DRAINING, Code.INTERNAL)
"""What every command may be refused by."""
_OF_A_MATCH = (Code.NOT_FOUND, Code.NOT_A_PLAYER)


class CommandRow(Struct, frozen=True, kw_only=True):
    """How a command is read, answered and refused, and what is done with it.

    `replies` are what its acknowledgement may be; `event` is what tells the sender where none was asked for, None
    where nothing does. One that is `immediate` waits for none of its connection's commands before, and lets none
    behind it wait.
    """

    payload: type[Struct]
    replies: tuple[type[Struct], ...]
    perform: Perform
    event: str | None = None
    codes: tuple[Code, ...] = ()
    immediate: bool = False


COMMANDS: dict[str, CommandRow] = {
    "create_pair_quiz": CommandRow(
        payload=payloads.CreatePairQuiz,
        replies=(events.QuizCreated,),
        perform=playing.create,
        event="quiz_created",
        codes=(Code.FORBIDDEN, Code.NOT_ENOUGH_QUESTIONS, Code.TOO_MANY_SESSIONS, Code.MAINTENANCE),
    ),
    "join_pair_quiz": CommandRow(
        payload=payloads.JoinPairQuiz,
        replies=(events.OpponentJoined,),
        perform=playing.join,
        event="opponent_joined",
        codes=(Code.NOT_FOUND, Code.SESSION_FULL, Code.OWN_MATCH, Code.FORBIDDEN, Code.TOO_MANY_SESSIONS),
    ),
    "start_quiz": CommandRow(
        payload=payloads.StartQuiz,
        replies=(events.QuizStarted,),
        perform=playing.start,
        event="quiz_started",
        codes=(*_OF_A_MATCH, Code.WRONG_STATE, Code.NOT_ENOUGH_QUESTIONS),
    ),
    "submit_answer": CommandRow(
        payload=payloads.SubmitAnswer,
        replies=(events.OwnAnswer,),
        perform=playing.submit_answer,
        event="answer_submitted",
        codes=(*_OF_A_MATCH, Code.WRONG_STATE, Code.TOO_LATE, Code.ALREADY_ANSWERED, Code.UNKNOWN_QUESTION),
        immediate=True,
    ),
    "quiz_completed": CommandRow(
        payload=payloads.QuizCompleted,
        replies=(events.Completed,),
        perform=playing.complete,
        event="quiz_state",
        codes=(*_OF_A_MATCH, Code.WRONG_STATE),
        immediate=True,
    ),
    "leave_pair_quiz": CommandRow(
        payload=payloads.LeavePairQuiz,
        replies=(events.Left,),
        perform=playing.leave,
        event="quiz_state",
        codes=(*_OF_A_MATCH, Code.WRONG_STATE),
        immediate=True,
    ),
    "resume_pair_quiz": CommandRow(
        payload=payloads.ResumePairQuiz,
        replies=(events.QuizState, events.Sessions),
        perform=playing.resume,
        event="quiz_state",
        codes=_OF_A_MATCH,
    ),
    "create_challenge": CommandRow(
        payload=payloads.CreateChallenge,
        replies=(events.ChallengeCreated,),
        perform=meeting.create_challenge,
        codes=(*_OF_A_MATCH, Code.WRONG_STATE, Code.FORBIDDEN),
    ),
    "accept_challenge": CommandRow(
        payload=payloads.AcceptChallenge,
        replies=(events.OpponentJoined,),
        perform=meeting.accept_challenge,
        event="opponent_joined",
        codes=(Code.NOT_FOUND, Code.OWN_MATCH, Code.TOO_MANY_SESSIONS, Code.MAINTENANCE),
    ),
    "find_opponent": CommandRow(
        payload=payloads.FindOpponent,
        replies=(events.Searching,),
        perform=meeting.find_opponent,
        codes=(Code.NOT_ENOUGH_QUESTIONS, Code.TOO_MANY_SESSIONS, Code.MAINTENANCE),
    ),
    "cancel_find_opponent": CommandRow(
        payload=payloads.CancelFindOpponent,
        replies=(events.Searching,),
        perform=meeting.cancel_find_opponent,
    ),
    "block_player": CommandRow(
        payload=payloads.BlockPlayer,
        replies=(events.Blocked,),
        perform=meeting.block_player,
        codes=(*_OF_A_MATCH, Code.WRONG_STATE),
    ),
    "unblock_player": CommandRow(
        payload=payloads.UnblockPlayer,
        replies=(events.Blocked,),
        perform=meeting.unblock_player,
        codes=(*_OF_A_MATCH, Code.WRONG_STATE),
    ),
    "request_rematch": CommandRow(
        payload=payloads.RequestRematch,
        replies=(events.RematchReply,),
        perform=meeting.request_rematch,
        codes=(
            *_OF_A_MATCH,
            Code.WRONG_STATE,
            Code.TOO_LATE,
            Code.OPPONENT_UNAVAILABLE,
            Code.NOT_ENOUGH_QUESTIONS,
            Code.TOO_MANY_SESSIONS,
            Code.MAINTENANCE,
        ),
    ),
    "report_question": CommandRow(
        payload=payloads.ReportQuestion,
        replies=(events.Reported,),
        perform=oneself.report,
        codes=(*_OF_A_MATCH, Code.UNKNOWN_QUESTION),
    ),
    "set_profile": CommandRow(
        payload=payloads.SetProfile,
        replies=(events.Profile,),
        perform=oneself.set_profile,
    ),
    "refresh_token": CommandRow(
        payload=payloads.RefreshToken,
        replies=(events.TokenRefreshed,),
        perform=oneself.refresh_token,
        codes=(Code.UNAUTHORIZED, Code.FORBIDDEN, Code.KEYS_UNAVAILABLE),
        immediate=True,
    ),
    "sync_clock": CommandRow(
        payload=payloads.SyncClock,
        replies=(events.ClockSync,),
        perform=oneself.sync_clock,
    ),
}
