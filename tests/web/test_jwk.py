"""Which keys of a JWKS document are taken, and what is said of the others."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from pairquiz_server.web.identity.jwk import read_key_set
from tests.web.issuer import EC, ED, PUBLISHED, RSA, Signer


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def private(signer: Signer) -> dict[str, Any]:
    found = jwt.get_algorithm_by_name(signer.algorithm).to_jwk(signer.key, as_dict=True)
    return {**found, "kid": "secret"}


SMALL = Signer("RS256", rsa.generate_private_key(65537, 1024), "small")
P384 = Signer("ES384", ec.generate_private_key(ec.SECP384R1()), "p384")
ED448 = Signer("EdDSA", ed448.Ed448PrivateKey.generate(), "ed448")
LEFT_OUT: dict[str, tuple[Any, str]] = {
    "a text": ("key", "no object"),
    "null": (None, "no object"),
    "a secret": ({"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "HS256"}, "symmetric"),
    "a private RSA key": (private(RSA), "PRIVATE"),
    "a private EC key": (private(EC), "PRIVATE"),
    "a private Ed25519 key": (private(ED), "PRIVATE"),
    "a small RSA key": (SMALL.jwk, "1024 bits"),
    "another curve": (P384.jwk, "only RSA"),
    "another Edwards curve": (ED448.jwk, "only RSA"),
    "no type": ({"kid": "x"}, "only RSA"),
    "a type that is a list": ({**EC.jwk, "kty": ["EC"]}, "kty"),
    "a curve that is an object": ({**EC.jwk, "crv": {}}, "crv"),
    "for encryption": ({**EC.jwk, "use": "enc"}, "not for signatures"),
    "for signing only": ({**EC.jwk, "key_ops": ["sign"]}, "not for signatures"),
    "operations that are a text": ({**EC.jwk, "key_ops": "verify"}, "not for signatures"),
    "an alg of another type": ({**RSA.jwk, "alg": "ES256"}, "RS256"),
    "an alg of a secret": ({**RSA.jwk, "alg": "HS256"}, "RS256"),
    "an alg that is a list": ({**EC.jwk, "alg": ["ES256"]}, "ES256"),
    "a kid that is a number": ({**EC.jwk, "kid": 7}, "kid"),
    "an empty kid": ({**EC.jwk, "kid": ""}, "kid"),
    "a long kid": ({**EC.jwk, "kid": "k" * 257}, "kid"),
    "a point that is not on its curve": ({**EC.jwk, "x": ED.jwk["x"]}, "make no key"),
    "no point": ({"kty": "EC", "crv": "P-256"}, "make no key"),
    "a point of numbers": ({**EC.jwk, "x": 1}, "make no key"),
    "an Ed25519 key cut short": ({**ED.jwk, "x": "AAAA"}, "make no key"),
    "an RSA key without e": ({"kty": "RSA", "n": RSA.jwk["n"]}, "make no key"),
    "an RSA key of e = 1": ({**RSA.jwk, "e": "AQ"}, "make no key"),
    "an RSA key that is no base64": ({**RSA.jwk, "n": "é"}, "make no key"),
}


@pytest.mark.parametrize(("key", "why"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_a_key_that_must_not_verify_is_left_out_and_said(key: Any, why: str) -> None:
    found = read_key_set(document(EC.jwk, key))
    assert [one.kid for one in found.keys] == ["ec"]
    (reason,) = found.left_out
    assert reason.startswith("key 1")
    assert why in reason
    assert len(reason) < 150


def test_the_type_of_a_key_is_its_algorithm() -> None:
    found = read_key_set(document(*({**signer.jwk, "alg": signer.algorithm} for signer in PUBLISHED)))
    assert [(one.kid, one.algorithm) for one in found.keys] == [(one.kid, one.algorithm) for one in PUBLISHED]
    assert found.left_out == ()
    assert found.named("ec", "RS256") == []
    assert found.knows("ec")
    assert not found.knows(None)
    bare = {name: value for name, value in EC.jwk.items() if name not in ("use", "kid")}
    found = read_key_set(document(bare, {**EC.jwk, "key_ops": ["verify"]}))
    assert [one.kid for one in found.named(None, "ES256")] == [None, "ec"]
    assert [one.kid for one in found.named("ec", "ES256")] == ["ec"]


@pytest.mark.parametrize(
    "text", [b"", b"x", b"null", b"[]", b"{}", b'{"keys":1}', b'{"keys":{}}', b"\xff", b'{"keys":' + b"[" * 9000]
)
def test_what_is_no_key_set_is_refused_as_a_whole(text: bytes) -> None:
    with pytest.raises(ValueError, match="keys"):
        read_key_set(text)


def test_an_issuer_may_have_no_keys() -> None:
    assert read_key_set(b'{"keys":[],"more":1}').keys == ()
