"""Whose address a request counts for."""

from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from pairquiz_server.web.guard.address import client_address, network

PEER = "10.0.0.9"


def address(*headers: str, proxies: int, peer: str = PEER) -> str:
    transport = Mock()
    transport.get_extra_info = lambda name, default=None: (peer, 4711) if name == "peername" else default
    sent = CIMultiDict([("X-Forwarded-For", header) for header in headers])
    return client_address(make_mocked_request("GET", "/", headers=sent, transport=transport), proxies)


@pytest.mark.parametrize(
    ("headers", "proxies", "found"),
    [
        ((), 0, PEER),
        (("1.1.1.1",), 0, PEER),
        ((), 1, PEER),
        (("1.1.1.1",), 1, "1.1.1.1"),
        (("6.6.6.6, 1.1.1.1",), 1, "1.1.1.1"),
        (("6.6.6.6, 1.1.1.1, 2.2.2.2",), 2, "1.1.1.1"),
        (("6.6.6.6", "1.1.1.1", "2.2.2.2"), 2, "1.1.1.1"),
        (("6.6.6.6, 1.1.1.1", "2.2.2.2"), 2, "1.1.1.1"),
        (("  1.1.1.1  ,\t2.2.2.2 ",), 2, "1.1.1.1"),
        (("1.1.1.1:4711",), 1, "1.1.1.1"),
        (("[2001:db8::1]:4711",), 1, "2001:db8::1"),
        (("[2001:db8::1]",), 1, "2001:db8::1"),
        (("2001:db8::1",), 1, "2001:db8::1"),
        (("2.2.2.2",), 3, "2.2.2.2"),
        (("",), 1, PEER),
        ((",",), 1, PEER),
        (("unknown",), 1, PEER),
        (("_hidden",), 1, PEER),
        (("1.1.1.1.1",), 1, PEER),
        (("<script>",), 1, PEER),
        (("6.6.6.6, unknown, 2.2.2.2",), 3, "2.2.2.2"),
        (("6.6.6.6,,2.2.2.2",), 2, "2.2.2.2"),
        ((",".join(["6.6.6.6"] * 2000),), 2, "6.6.6.6"),
    ],
)
def test_as_many_entries_from_the_right_are_believed_as_there_are_proxies(
    headers: tuple[str, ...], proxies: int, found: str
) -> None:
    assert address(*headers, proxies=proxies) == found


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("1.1.1.1", "1.1.1.1", "1.1.1.2"),
        ("1.1.1.1", "::ffff:1.1.1.1", "::ffff:1.1.1.2"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:2::1"),
        ("2001:db8:0:1::1", "2001:0DB8:0000:0001::", "::1"),
        ("fe80::1%eth0", "fe80::2", "fe81::1"),
        ("", "", "nowhere"),
    ],
)
def test_one_subscriber_counts_as_one_address(one: str, same: str, other: str) -> None:
    assert network(one) == network(same) != network(other)
