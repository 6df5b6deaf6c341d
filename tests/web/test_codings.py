"""What an Accept-Encoding takes."""

import pytest

from pairquiz_server.web.rest.codings import best_coding


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", "identity"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("deflate", "identity"),
        ("GZip;Q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000,gzip;q=0", "identity"),
        ("br;q=0.001", "br"),
        ("*", "br"),
        ("*, br;q=0", "gzip"),
        ("*;q=0", "identity"),
        ("gzip;level=9;q=0", "identity"),
        (", ;,;q", "identity"),
        ("brotli, br2, xgzip", "identity"),
    ],
)
def test_the_smallest_coding_is_sent_that_is_taken(accepted: str, coding: str) -> None:
    assert best_coding(accepted, ("br", "gzip")) == coding
    assert best_coding(accepted, ()) == "identity"
