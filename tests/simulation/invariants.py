"""What must hold whatever goes wrong, how a run tells that something did not, and what it has seen."""

from enum import StrEnum

from msgspec import Struct


class Invariant(StrEnum):
    """What must hold."""

    ANNOUNCED_IS_STORED = "what is announced is in the store"
    ANNOUNCED_ONCE = "a change is announced once"
    STORED_IS_ANNOUNCED = "what is in the store is announced, unless a node has died"
    ACKNOWLEDGED_IS_STORED = "what is acknowledged is in the store"
    ONE_REPLY = "a command has one reply"
    EVERY_REPLY = "every command that reached a living node is settled"
    REFUSED_CHANGED_NOTHING = "what is refused for good has changed nothing"
    ONE_MATCH_A_REQUEST = "a request id makes one match"
    ONE_REMATCH = "a match has one rematch"
    REMATCH_IS_WANTED = "a rematch follows a completed match, and both of its players have asked"
    REMATCH_IS_MADE = "what both want is made"
    SERIES_ADDS_UP = "a series is what was won before"
    VERSIONS_RISE = "versions rise by one a change"
    OVER_IS_OVER = "a match that is over changes no more"
    ANSWER_STANDS = "an answer in the store stays as it is"
    ANSWER_COUNTS_ONCE = "an answer counts once"
    POINTS_ARE_THE_RULES = "points are those of the rules for the time of arrival"
    CREDIT_IS_BOUNDED = "an answer is credited the lag of its line, as far as the cap and the player's bank go"
    SCORE_IS_SUM = "a score is the sum of the points"
    HEARD_IN_ORDER = "a connection hears each change of a node once, and in order"
    ENDS_IN_TIME = "a match that is due is ended in time, and so is a round, and the pause behind it"
    HAPPENS_IN_TIME = "what happens in a match by itself happens in time"
    NOT_ENDED_EARLY = "no match, and no round, is ended before it is due"
    ROUNDS_FOLLOW = "one round follows the other, and is answered while it is open"
    EVERY_MATCH_ENDS = "every match ends"
    RESULTS_AGREE = "both players' results are those of the store"
    NOBODY_LOSES_BY_OUTAGE = "no match's, round's or absence's time runs while there is no service"
    WHO_CAME_IN_TIME_STAYS = "nobody forfeits who came back in time to a node that the store hears"
    CLOCKS_AGREE = "the clocks of nodes agree"
    NOBODY_THERE_IS_AWAY = "whoever is there for long is not away, and the other way round"
    BUDGET_HOLDS = "no absence is allowed more than the budget leaves"
    ONE_MATCH_A_SEARCH = "a search makes one match, for who still looks"
    SEEKER_MEETS_WHO_MAY = "nobody is brought together with themselves, or with somebody who is blocked"
    NO_ENTRY_IS_LEFT = "no entry is left of who has cancelled or gone, or whose node has died"
    WHO_MAY_MEET_MEETS = "nobody who can be paired waits for ever"
    RATED_ONCE = "a completed match has one result for each of its players"
    EVERY_MATCH_IS_RATED = "each completed match is rated"
    RATED_FAIRLY = "a match counts where it was fair, and no fault of the service made its result"
    RATINGS_ADD_UP = "ratings go on from the last one, and rest on as many matches as were rated"
    NO_FAULT_OF_OURS = "nothing fails by a fault of ours"


class Break(Struct, frozen=True):
    """An invariant that did not hold: for which match, when (seconds of virtual time), and how."""

    invariant: Invariant
    match_id: str | None
    at: float
    detail: str


class Counts(Struct):
    """What a run has seen; a run that has seen nothing has shown nothing."""

    commands: int = 0
    changes: int = 0
    answers: int = 0
    credited: int = 0
    refusals: int = 0
    unavailable: int = 0
    duplicates: int = 0
    conflicts: int = 0
    lost_commits: int = 0
    gaps: int = 0
    absences: int = 0
    returns: int = 0
    forfeits: int = 0
    moved: int = 0
    ended: int = 0
    rounds: int = 0
    rounds_timed_out: int = 0
    rematches: int = 0
    searches: int = 0
    cancelled: int = 0
    found: int = 0
    rated: int = 0
    unrated: int = 0
