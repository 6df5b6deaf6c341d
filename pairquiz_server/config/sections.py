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
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
QuestionCount = Annotated[int, Meta(ge=1, le=50)]
TimeLimit = Annotated[int, Meta(ge=5, le=300)]
Days = Annotated[int, Meta(ge=0, le=36_500)]


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where and for whom the server listens."""

    host: NotEmpty = "127.0.0.1"
    port: Port = 8000
    region: str = "local"
    data_dir: NotEmpty = "auto"
    page: NotEmpty = "auto"
    allowed_origins: tuple[str, ...] | Literal["auto"] = "auto"
    trusted_proxies: Proxies = 0
    ping_interval_s: WholeSeconds = 10
    ping_timeout_s: WholeSeconds = 14
    measure_interval_s: Seconds = 30.0


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    """How PostgreSQL is spoken to."""

    pool_min: Connections = 1
    pool_max: Connections = 8
    connect_timeout_s: Seconds = 10.0
    command_timeout_s: Seconds = 1.5
    transaction_pooler: bool | Literal["auto"] = "auto"
    ssl_root_cert: str = ""
    commit_pace_ms: Milliseconds = 5


class Auth(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may play."""

    mode: Literal["auto", "guest", "required"] = "auto"
    audience: NotEmpty = "authenticated"
    issuer: str = ""
    jwks_url: str = ""


class Game(Struct, frozen=True, forbid_unknown_fields=True):
    """What a match is, where its creator does not say."""

    question_count: QuestionCount = 5
    time_limit_s: TimeLimit = 30
    points: Points = 100
    speed_bonus: Points = 50
    waiting_ttl_s: Lifetime = 600
    ready_ttl_s: Lifetime = 600
    start_delay_ms: Annotated[int, Meta(ge=0, le=60_000)] = 3000
    reveal_lead_max_ms: Milliseconds = 300
    round_pause_ms: Annotated[int, Meta(ge=0, le=60_000)] = 2000
    rematch_ttl_s: Lifetime = 600
    reconnect_grace_s: Lifetime = 30
    closed_grace_s: Lifetime = 10
    absence_budget_s: Lifetime = 60
    lag_credit_max_ms: Milliseconds = 300
    lag_bank_ms: Milliseconds = 200
    record_runs: bool = True
    ghost_wait_s: Annotated[int, Meta(ge=0, le=3600)] = 10
    ghost_rating_weight: Annotated[float, Meta(ge=0, le=1)] = 0.5
    challenge_days: Days = 30
    rated_guests: bool = True


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one client may ask for. Where a count may be 0, that is no limit."""

    message_bytes: Annotated[int, Meta(ge=1024, le=1 << 24)] = 65536
    commands_per_s: Annotated[float, Meta(ge=0, le=100_000)] = 30.0
    commands_burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 60
    frames_per_s: Count = 300
    connections: Count = 20_000
    connections_per_address: Count = 1000
    arrivals_per_minute_per_address: Count = 3000
    failed_tokens_per_minute_per_address: Count = 600
    creations_per_minute: Count = 120
    creations_per_minute_per_address: Count = 1200
    live_matches_per_user: Count = 20
    failed_joins_per_minute: Count = 20
    all_failed_joins_per_minute: Count = 30_000
    send_queue_bytes: Annotated[int, Meta(ge=0, le=1 << 30)] = 1 << 20
    stall_s: Seconds = 10.0
    header_bytes: Annotated[int, Meta(ge=1024, le=1 << 20)] = 16384
    first_request_s: Seconds = 10.0
    rest_body_s: Seconds = 5.0
    keepalive_s: Seconds = 75.0
    unauthenticated_s: Seconds = 10.0


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days things are kept, 0 for ever."""

    finished_matches_days: Days = 0
    unfinished_matches_days: Days = 30
    usage_days: Days = 400
    guests_days: Days = 120
    audit_days: Days = 400


class Admin(Struct, frozen=True, forbid_unknown_fields=True):
    """How its operator speaks to a server that runs."""

    socket: NotEmpty = "auto"


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
    admin: Admin = Admin()
    log: Log = Log()
