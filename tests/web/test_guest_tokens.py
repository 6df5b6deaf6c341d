"""Guest tokens: known again in the one spelling in which they are signed, and by nothing else."""

import json
import time
from typing import Any

import jwt
import pytest

from pairquiz_server import config
from pairquiz_server.rules.errors import Refused
from pairquiz_server.web.identity.auth import Authenticator
from pairquiz_server.web.identity.guests import GUEST_AUDIENCE, GUEST_ISSUER, GuestTokens

KEY = b"the key of the guests, which nobody knows"
DAYS_90 = 90 * 24 * 3600
NOW = int(time.time())
CLAIMS: dict[str, Any] = {
    "iss": GUEST_ISSUER, "aud": GUEST_AUDIENCE, "sub": "guest:x", "iat": NOW, "exp": NOW + DAYS_90,
}  # fmt: skip


def signed(key: bytes = KEY, headers: dict[str, Any] | None = None, **changes: Any) -> str:
    whole = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    return jwt.encode(whole, key, algorithm="HS256", headers=headers)


def test_a_guest_token_is_a_json_web_token() -> None:
    token, expires_at = GuestTokens(KEY).sign("guest:x")
    said = jwt.decode(token, KEY, algorithms=["HS256"], audience=GUEST_AUDIENCE, issuer=GUEST_ISSUER)
    assert said["sub"] == "guest:x"
    assert said["exp"] * 1000 == expires_at
    assert said["exp"] - said["iat"] == DAYS_90


def test_what_was_signed_is_known_again_also_where_pyjwt_has_signed_it() -> None:
    tokens = GuestTokens(KEY)
    for token in (tokens.sign("guest:x")[0], signed()):
        claims = tokens.prove(token)
        assert claims is not None
        assert claims.subject == "guest:x"


def test_a_token_in_which_one_character_is_another_is_none() -> None:
    tokens = GuestTokens(KEY)
    token, _ = tokens.sign("guest:x")
    for place, character in enumerate(token):
        for other in {"A", "B", ".", "=", "é"} - {character}:
            assert tokens.prove(token[:place] + other + token[place + 1 :]) is None, (place, other)
        assert tokens.prove(token[:place] + token[place + 1 :]) is None
        assert tokens.prove(token[:place] + " " + token[place:]) is None


@pytest.mark.parametrize(
    "token",
    [
        signed(b"the key of somebody else, who is nobody here"),
        signed(iss="pairquiz"),
        signed(aud="authenticated"),
        signed(aud=[GUEST_AUDIENCE]),
        signed(iat=NOW - DAYS_90 - 1, exp=NOW - 1),
        signed(iat=NOW + 3600, exp=NOW + 3600 + DAYS_90),
        signed(exp=NOW + 10 * DAYS_90),
        signed(exp=...),
        signed(nbf=NOW),
        signed(sub=1),
        signed(headers={"kid": "1"}),
        "",
        "..",
        "a.b",
        "[" * 5000,
        "x." + "A" * 9000 + ".y",
        "\ud800.\ud800.\ud800",
    ],
)
def test_any_other_token_is_none_of_these(token: str) -> None:
    assert GuestTokens(KEY).prove(token) is None


async def test_a_guest_in_another_spelling_is_still_taken_and_one_who_is_nobody_is_told_why() -> None:
    proof = Authenticator(config.load(environ={}), KEY)
    backwards = jwt.encode(dict(reversed(CLAIMS.items())), KEY, algorithm="HS256", headers=json.loads("{}"))
    assert GuestTokens(KEY).prove(backwards) is None
    assert (await proof.identify(backwards)).player.id == "guest:x"
    with pytest.raises(Refused, match="signature"):
        await proof.identify(signed(b"the key of somebody else, who is nobody here"))
    with pytest.raises(Refused, match="expired"):
        await proof.identify(signed(iat=NOW - DAYS_90 - 1, exp=NOW - 1))
