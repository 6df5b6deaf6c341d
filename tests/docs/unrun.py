"""The commands in the documents that no test runs, by their beginning: why, and what is held instead.

All options of `pairquiz-server` are held everywhere, and so is that scripts exist. The test of blocks fails where a
command is neither run nor named here, and where one that is named here stands in no document any more.
"""

TWO_TERMINALS = "one waits for the other: tests/cli/test_play.py plays both"
DOCKER = "there is no Docker engine: scripts/image builds and runs it by other means, tests/deploy holds the files"
ACCOUNT = "it needs an account of the platform: tests/deploy/test_platforms.py runs its Procfile"
CLUSTER = "there is no cluster: tests/deploy/test_kubernetes.py holds the manifests"
AS_ROOT = (
    "it would change the machine: tests/deploy/test_judged.py has systemd judge the unit, tests/acceptance starts nginx"
)
DOMAIN = "it needs a domain: tests/acceptance/test_gateways.py starts each with a certificate of its own"
RESTORED = "the database has the other dump by then: tests/backup/test_restore.py restores both"
SHELL = "it is for another shell, which may not be there: tests/cli/test_completion.py has all three"
PAGE = "scripts/browser builds the page and plays on it; that npm has a script of this name is held here"
MEASURES = "its exit code says how quick the machine is: tests/cli/test_loadtest.py and test_probe.py run it"

FOR_EVER = "it goes on until Ctrl+C: tests/web/test_admin_overview.py takes two looks"
OF_A_MATCH = "it needs a match that is played: tests/cli/test_matches.py runs it on one"

UNRUN = {
    "docs/administration.md": {"pairquiz-server top  ": FOR_EVER}
    | {f"pairquiz-server matches {word} ID": OF_A_MATCH for word in ("show", "watch", "end")},
    "README.md": {"scripts/test": "it would test itself"},
    "docs/backup.md": {'psql --dbname "$NEW_DATABASE_URL" --set': RESTORED},
    "docs/deployment.md": {
        "docker": DOCKER,
        "kubectl": CLUSTER,
        "python3 -m venv /opt/pairquiz": AS_ROOT,
        "/opt/pairquiz/bin/pip": AS_ROOT,
        "install": AS_ROOT,
        "systemctl": AS_ROOT,
        "ln": AS_ROOT,
        "certbot": DOMAIN,
        "PAIRQUIZ_ADMIN__SOCKET=/run/pairquiz-server": AS_ROOT,
        "nginx": DOMAIN,
        "QUIZ_DOMAIN": DOMAIN,
        "cat": DOMAIN,
        "haproxy": DOMAIN,
        "heroku": ACCOUNT,
        "git push heroku": ACCOUNT,
    },
    "docs/nodes.md": {
        "scripts/chaos": "it takes a minute: tests/chaos/test_rolling.py does it in short",
        "scripts/bench": "it takes five minutes of a machine that does nothing else",
    },
    "docs/load-tests.md": {"pairquiz-server loadtest": MEASURES, "pairquiz-server probe": MEASURES},
    "docs/terminal.md": {
        "pairquiz-server play  ": TWO_TERMINALS,
        "pairquiz-server play --join": TWO_TERMINALS,
        "source <(pairquiz-server completion zsh)": SHELL,
        "pairquiz-server completion fish | source": SHELL,
    },
    "frontend/README.md": {"npm": PAGE},
}


def is_unrun(document: str, command: str) -> bool:
    """Tell whether a command of a document is one of those above."""
    return any(command.startswith(beginning) for beginning in UNRUN.get(document, ()))
