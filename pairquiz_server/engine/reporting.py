"""Players say what is wrong with a question."""

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.game import Game
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.reporting import Report, ReportReason, require_shown
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.reports import Reports


class Reporting:
    """Takes what the players of one process report."""

    def __init__(self, game: Game, reports: Reports, clock: Clock) -> None:
        self._game = game
        self._reports = reports
        self._clock = clock

    async def report(
        self, player: Player, *, match_id: str, question_id: int, reason: ReportReason, note: str | None
    ) -> bool:
        """Note what a player says of a question of a match; tell whether the same stood already.

        Another reason, or another note, takes the place of what the same player has said of the question before. Raises
        `Refused` (`not_found`, `not_a_player`, `unknown_question`, `forbidden`, `storage_unavailable`).
        """
        require_shown(await self._game.view(player.id, match_id), question_id)
        try:
            return not await self._reports.note(Report(player.id, question_id, reason, note), self._clock.now())
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
