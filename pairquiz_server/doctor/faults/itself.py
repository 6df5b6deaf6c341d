"""What can be wrong with a look."""

from pairquiz_server.doctor.finding import Fault

CHECK_TOO_SLOW = Fault(
    "check-too-slow",
    "it was not done within {seconds} s: whatever it looks at hangs",
    "pairquiz-server doctor  # again; then look at what stands above this line",
)
CHECK_BROKE = Fault(
    "check-broke",
    "the check itself failed ({kind}): what it looks at answers as nothing that is known",
    "pairquiz-server doctor --json  # again, and report what it prints",
)
