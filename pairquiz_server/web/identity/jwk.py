"""A JWKS document → the keys in it that tokens may be signed by. Pure: bytes in, keys and complaints out.

A key's type alone decides its algorithm, so that a token can never choose how a key is used (a public key taken as the
secret of HS256 is the classic forgery). Secrets have no place in a document that everybody can read: a symmetric or a
private key in it is not taken, whoever else has read it too.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWTError
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from msgspec import Struct

RSA_BITS_MIN = 2048
RSA_BITS_MAX = 8192
KID_MAX = 256
_SHOWN_MAX = 40

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_KINDS: dict[tuple[object, object], tuple[str, type[Algorithm], type[PublicKey]]] = {
    ("RSA", None): ("RS256", RSAAlgorithm, RSAPublicKey),
    ("EC", "P-256"): ("ES256", ECAlgorithm, EllipticCurvePublicKey),
    ("OKP", "Ed25519"): ("EdDSA", OKPAlgorithm, Ed25519PublicKey),
}
"""Key type and curve → algorithm. What is not here is not taken."""
ALGORITHMS = frozenset(algorithm for algorithm, _, _ in _KINDS.values())


class VerifyingKey(Struct, frozen=True):
    """A public key, and the one algorithm by which it verifies."""

    kid: str | None
    algorithm: str
    key: PublicKey


class KeySet(Struct, frozen=True):
    """The keys of a document, and in words what of it was left out."""

    keys: tuple[VerifyingKey, ...] = ()
    left_out: tuple[str, ...] = ()

    def named(self, kid: str | None, algorithm: str) -> list[VerifyingKey]:
        """Return the keys that a token of this `kid` and `alg` may be signed by; without a `kid`, all that fit."""
        return [one for one in self.keys if one.algorithm == algorithm and (kid is None or one.kid == kid)]

    def knows(self, kid: str | None) -> bool:
        """Tell whether there is a key of this name, for whatever algorithm."""
        return any(one.kid == kid for one in self.keys if one.kid is not None)


class _Document(Struct):
    keys: list[Any]


def read_key_set(document: bytes) -> KeySet:
    """Read a JWKS (RFC 7517). Raises `ValueError` where it is none."""
    try:
        found = msgspec.json.decode(document, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError('it is no JSON object with a list "keys"') from None
    keys: list[VerifyingKey] = []
    left_out: list[str] = []
    for place, jwk in enumerate(found.keys):
        try:
            keys.append(_read_key(jwk))
        except ValueError as error:
            kid = jwk.get("kid") if isinstance(jwk, dict) else None
            name = f"key {place}" + (f" ({kid[:_SHOWN_MAX]!r})" if isinstance(kid, str) else "")
            left_out.append(f"{name}: {error}")
    return KeySet(tuple(keys), tuple(left_out))


def _read_key(jwk: Any) -> VerifyingKey:
    """Read a key. Raises `ValueError` where it is not one to verify tokens by."""
    if not isinstance(jwk, dict):
        raise ValueError("it is no object")
    if jwk.get("kty") == "oct":
        raise ValueError("it is a symmetric key, which whoever reads it could sign with: take it out")
    if "d" in jwk:
        raise ValueError("it is a PRIVATE key, which whoever reads it can sign with: replace it")
    kind = _KINDS.get((_text(jwk, "kty"), _text(jwk, "crv") if jwk.get("kty") != "RSA" else None))
    if kind is None:
        raise ValueError("only RSA, P-256 and Ed25519 keys are taken")
    algorithm, reader, expected = kind
    if not (jwk.get("use") in (None, "sig") and _may_verify(jwk.get("key_ops"))):
        raise ValueError("it is not for signatures")
    if jwk.get("alg") not in (None, algorithm):
        raise ValueError(f"its alg is not {algorithm}, which its type decides")
    kid = _text(jwk, "kid")
    if kid is not None and not 1 <= len(kid) <= KID_MAX:
        raise ValueError(f"its kid has not 1 to {KID_MAX} characters")
    try:
        key = reader.from_jwk(jwk)
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        raise ValueError("its numbers make no key") from None
    if not isinstance(key, expected):
        raise ValueError("its numbers make no key")
    if isinstance(key, RSAPublicKey) and not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
        raise ValueError(f"it has {key.key_size} bits, and {RSA_BITS_MIN} to {RSA_BITS_MAX} are taken")
    return VerifyingKey(kid, algorithm, key)


def _text(jwk: Mapping[str, Any], name: str) -> str | None:
    value = jwk.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"its {name} is no text")
    return value


def _may_verify(key_ops: object) -> bool:
    return key_ops is None or (isinstance(key_ops, list) and "verify" in key_ops)
