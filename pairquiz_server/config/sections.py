"""The sections of config.toml: every key, its default, and what it may be."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

# The upper bounds keep out what asyncio's timers and the columns of the database cannot hold.
NotEmpty = Annotated[str, Meta(min_length=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Proxies = Annotated[int, Meta(ge=0, le=16)]
Connections = Annotated[int, Meta(ge=1, le=1000)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
WholeSeconds = Annotated[int, Meta(ge=1, le=3600)]
Lifetime = Annotated[int, Meta(ge=1, le=30 * 24 * 3600)]
Milliseconds = Annotated[int, Meta(ge=0, le=10_000)]
Points = Annotated[int, Meta(ge=0, le=1_000_000)]
QuestionCount = Annotated[int, Meta(ge=1, le=50)]
TimeLimit = Annotated[int, Meta(ge=5, le=300)]
Days = Annotated[int, Meta(ge=0, le=36_500)]


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where and for whom the server listens."""

    host: NotEmpty = "127.0.0.1"
    port: Port = 8000
    region: str = "local"
    data_dir: NotEmpty = "auto"
    allowed_origins: tuple[str, ...] | Literal["auto"] = "auto"
    trusted_proxies: Proxies = 0
    ping_interval_s: WholeSeconds = 10
    ping_timeout_s: WholeSeconds = 14


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    """How PostgreSQL is spoken to."""

    pool_min: Connections = 1
    pool_max: Connections = 8
    connect_timeout_s: Seconds = 10.0
    command_timeout_s: Seconds = 1.5
    transaction_pooler: bool | Literal["auto"] = "auto"
    commit_pace_ms: Milliseconds = 4


class Auth(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may play."""

    mode: Literal["auto", "guest", "required"] = "auto"
    audience: NotEmpty = "authenticated"
    issuer: str = ""


class Game(Struct, frozen=True, forbid_unknown_fields=True):
    """What a match is, where its creator does not say."""

    question_count: QuestionCount = 5
    time_limit_s: TimeLimit = 30
    points: Points = 100
    speed_bonus: Points = 50
    waiting_ttl_s: Lifetime = 600
    ready_ttl_s: Lifetime = 600
    reconnect_grace_s: Lifetime = 30
    closed_grace_s: Lifetime = 10
    absence_budget_s: Lifetime = 60
    lag_credit_max_ms: Milliseconds = 300


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one client may ask for."""

    message_bytes: Annotated[int, Meta(ge=1024, le=1 << 24)] = 65536


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days things are kept, 0 for ever."""

    finished_matches_days: Days = 0
    unfinished_matches_days: Days = 30
    usage_days: Days = 400
    guests_days: Days = 120


class Log(Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"
    socketio: bool = False
    engineio: bool = False


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """The sections of config.toml."""

    server: Server = Server()
    database: Database = Database()
    auth: Auth = Auth()
    game: Game = Game()
    limits: Limits = Limits()
    retention: Retention = Retention()
    log: Log = Log()
