"""Tokens that prove nothing: every way to forge one that we could think of, by name."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.web.issuer import (
    EC,
    ED,
    GUESTS,
    HOUR,
    HS,
    PUBLISHED,
    RSA,
    SIGNERS,
    another,
    b64,
    claims,
    guest_claims,
    part,
)

FUTURE = int(time.time()) + 24 * HOUR

CLAIMS: dict[str, dict[str, Any]] = {
    "another aud": {"aud": "anon"},
    "no aud": {"aud": ...},
    "an aud of null": {"aud": None},
    "an aud of nothing": {"aud": []},
    "an aud that is a number": {"aud": 1},
    "an aud of numbers": {"aud": [1]},
    "an aud that only contains ours": {"aud": "authenticated2"},
    "the guests' aud": {"aud": "pairquiz-guest"},
    "another iss": {"iss": "https://evil.example"},
    "no iss": {"iss": ...},
    "an iss that is a list": {"iss": ["us"]},
    "an iss with a slash": {"iss": "us/"},
    "no exp": {"exp": ...},
    "an exp of null": {"exp": None},
    "an exp a second ago": {"exp": int(time.time()) - 1},
    "an exp of 1970": {"exp": 0},
    "a negative exp": {"exp": -1},
    "an exp that is a text": {"exp": "tomorrow"},
    "an exp that is a number as a text": {"exp": str(FUTURE)},
    "an exp that is true": {"exp": True},
    "an exp that is a list": {"exp": [FUTURE]},
    "an exp in milliseconds": {"exp": FUTURE * 1000},
    "an exp that never comes": {"exp": float("inf")},
    "an exp that is no number": {"exp": float("nan")},
    "no sub": {"sub": ...},
    "a sub of null": {"sub": None},
    "an empty sub": {"sub": ""},
    "a sub too long": {"sub": "x" * 129},
    "a sub of control characters": {"sub": "a\x00b"},
    "a sub of a line break": {"sub": "a\nb"},
    "a sub of half a pair": {"sub": "\ud800"},
    "a sub that is a number": {"sub": 7},
    "a sub that is a list": {"sub": ["anna"]},
    "a sub that is an object": {"sub": {"id": "anna"}},
    "a sub of a guest": {"sub": "guest:x"},
    "an nbf of tomorrow": {"nbf": FUTURE},
    "an nbf that is a text": {"nbf": "now"},
    "an nbf of null": {"nbf": None},
    "an iat of tomorrow": {"iat": FUTURE},
    "an iat that is a list": {"iat": []},
    "an iat that is no number": {"iat": float("nan")},
}
ALGORITHMS = [
    "", "none", "None", "NONE", "nOnE", "hs256", "HS384", "HS512", "RS384", "RS512", "PS256", "ES384", "ES256K",
    "Ed25519", "RSA-OAEP", "dir", "A128KW", "HS256 ", "HS256\x00", None, 1, True, [], ["HS256"], {},
]  # fmt: skip
KIDS = ["", "x", "EC", "ec ", "../../dev/null", "' OR 1=1 --", "k" * 4000, None, 0, ["ec"], {"ec": 1}]
HEADER = '{"alg":"HS256","typ":"JWT"}'


def _wrong_claims() -> Iterator[tuple[str, str]]:
    for signer in SIGNERS:
        for name, changes in CLAIMS.items():
            yield f"{signer.algorithm}, {name}", signer.token(**{"iss": "us", **changes})


def _wrong_algorithms() -> Iterator[tuple[str, str]]:
    for algorithm in ALGORITHMS:
        for signer in (HS, EC):
            yield (
                f"alg {algorithm!r} by {signer.algorithm}",
                signer.token({**signer.header, "alg": algorithm}, iss="us"),
            )
        unsigned = part({"alg": algorithm}) + b"." + part(claims(iss="us")) + b"."
        yield f"alg {algorithm!r}, unsigned", unsigned.decode()
    yield "no alg", HS.token({"typ": "JWT"}, iss="us")
    for signer in PUBLISHED:
        for other in PUBLISHED:
            if other is not signer:
                header = {**signer.header, "kid": other.kid}
                yield f"{signer.algorithm} under the name of {other.algorithm}", signer.token(header, iss="us")
                header = {**signer.header, "alg": other.algorithm}
                yield f"{signer.algorithm} that says {other.algorithm}", signer.token(header, iss="us")
                header = {"alg": other.algorithm}
                yield f"{signer.algorithm} that says {other.algorithm}, no kid", signer.token(header, iss="us")
        yield f"HS256 under the name of {signer.algorithm}", HS.token({"alg": signer.algorithm, "kid": signer.kid})


def _hmac(secret: bytes, text: bytes) -> bytes:
    return b64(hmac.digest(secret, text, hashlib.sha256))


def _public_keys_as_secrets() -> Iterator[tuple[str, str]]:
    for signer in PUBLISHED:
        public = signer.key.public_key()
        spki = PublicFormat.SubjectPublicKeyInfo
        known = {
            "PEM": public.public_bytes(Encoding.PEM, spki),
            "PEM without its end": public.public_bytes(Encoding.PEM, spki).strip(),
            "DER": public.public_bytes(Encoding.DER, spki),
            "JWK": json.dumps(signer.jwk).encode(),
        }
        for shape, secret in known.items():
            for kid in (signer.kid, None):
                body = part({"alg": "HS256", "kid": kid} if kid else {"alg": "HS256"}) + b"." + part(claims(iss="us"))
                forged = (body + b"." + _hmac(secret, body)).decode()
                yield f"the {signer.algorithm} key's {shape} as a secret, kid {kid}", forged


def _wrong_keys() -> Iterator[tuple[str, str]]:
    for signer in (HS, EC, ED):
        mine = another(signer)
        yield f"{signer.algorithm} by another key", mine.token(iss="us")
        yield f"{signer.algorithm} by another key, no kid", mine.token({"alg": signer.algorithm}, iss="us")
    yield "the guests' secret", GUESTS.token(iss="us")
    body = part(HEADER) + b"." + part(claims(iss="us"))
    yield "the empty secret", (body + b"." + _hmac(b"", body)).decode()
    for kid in KIDS:
        yield f"kid {str(kid)[:20]!r}", EC.token({**EC.header, "kid": kid}, iss="us")
    mine = another(EC)
    for name, value in {
        "jwk": mine.jwk,
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/chain",
        "x5c": ["MIIB"],
        "x5t": "AAAA",
        "url": "https://evil.example",
    }.items():
        yield f"its own {name}", mine.token({**EC.header, name: value}, iss="us")
    for crit in (["exp"], ["b64"], [], "exp", [1], None, {"exp": 1}, ["x" * 3000 + "\n"]):
        for signer in (HS, EC):
            name = f"crit {str(crit)[:20]} by {signer.algorithm}"
            yield name, signer.token({**signer.header, "crit": crit, "exp": 1, "b64": True}, iss="us")
    for value in (False, True, None):
        yield f"b64 {value}", HS.token({**HS.header, "b64": value}, iss="us")


def _wrong_signatures() -> Iterator[tuple[str, str]]:
    for signer in SIGNERS:
        token = signer.token(iss="us")
        head, body, signature = token.split(".")
        first = "B" if signature[0] == "A" else "A"
        other = signer.token(iss="us", sub="bob")
        for name, forged in {
            "no signature": f"{head}.{body}.",
            "two parts": f"{head}.{body}",
            "four parts": f"{token}.{signature}",
            "a signature cut short": token[:-4],
            "a signature of zeros": f"{head}.{body}.{b64(bytes(64)).decode()}",
            "a signature of 256 zeros": f"{head}.{body}.{b64(bytes(256)).decode()}",
            "another first byte": f"{head}.{body}.{first}{signature[1:]}",
            "the signature of another": f"{head}.{body}.{other.split('.')[2]}",
            "the claims of another": f"{head}.{other.split('.')[1]}.{signature}",
            "the header of another": f"{part({**signer.header, 'x': 1}).decode()}.{body}.{signature}",
            "padded": f"{head}.{body}.{signature}==",
            "followed by a space": f"{head}.{body}. {signature}",
            "signed with a plus": f"{head}.{body}.{signature}+",
            "twice the signature": f"{head}.{body}.{signature}{signature}",
        }.items():
            yield f"{signer.algorithm}, {name}", forged
    head, body, signature = EC.token(iss="us").split(".")
    yield "ES256 in DER", f"{head}.{body}.{b64(encode_dss_signature(1, 1)).decode()}"


def _guests() -> Iterator[tuple[str, str]]:
    for signer in SIGNERS:
        yield f"a guest by {signer.algorithm}", signer.signed(signer.header, guest_claims())
    yield "a guest of alg none", (part({"alg": "none"}) + b"." + part(guest_claims()) + b".").decode()
    yield "a guest of HS512", GUESTS.signed({"alg": "HS512"}, guest_claims())
    for name, changes in {
        "of the users' aud": {"aud": "authenticated"},
        "of no aud": {"aud": ...},
        "who has expired": {"exp": int(time.time()) - 1},
        "without exp": {"exp": ...},
        "without sub": {"sub": ...},
        "of the future": {"nbf": FUTURE},
        "whose iss is a list": {"iss": ["pairquiz-server"]},
    }.items():
        yield f"a guest {name}", GUESTS.signed(GUESTS.header, guest_claims(**changes))


def _no_tokens() -> Iterator[tuple[str, str]]:
    for text in ("nonsense", "..", "." * 100, "a.b.c", "é.ü.ß", "\ud800", "\x00", "Bearer x", "null", "{}", "[]"):
        yield f"the text {text[:10]!r}", text
    yield "too long", "x" * 8193
    yield "huge", "x" * 60_000
    yield "good, but for its length", HS.token(iss="us", more="x" * 8000)
    for name, header in {"no JSON": "x", "a list": "[]", "a number": "1", "null": "null", "empty": ""}.items():
        yield f"a header that is {name}", HS.signed(header, claims(iss="us"))
        yield f"a body that is {name}", HS.signed(HEADER, header)
    for name, deep in {"lists": "[" * 2500, "objects": '{"a":' * 1100, "closed lists": "[" * 2500 + "]" * 2500}.items():
        yield f"a header of deep {name}", HS.signed(deep, claims(iss="us"))
        yield f"a body of deep {name}", HS.signed(HEADER, deep)
    yield "a body with a deep claim", HS.signed(HEADER, '{"a":' + "[" * 2000 + "]" * 2000 + "}")
    yield "a body of a huge number", HS.signed(HEADER, '{"iss":' + "9" * 5000 + "}")
    yield "an unhashable issuer", HS.signed(HEADER, '{"iss":{}}')
    yield (
        "two subs, the last of which is a guest",
        HS.signed(HEADER, '{"sub":"anna",' + json.dumps(claims(sub="guest:x", iss="us"))[1:]),
    )


FORGERIES: dict[str, str] = {
    name: token
    for kind in (
        _wrong_claims,
        _wrong_algorithms,
        _public_keys_as_secrets,
        _wrong_keys,
        _wrong_signatures,
        _guests,
        _no_tokens,
    )
    for name, token in kind()
}
GOOD: dict[str, str] = {
    **{f"{signer.algorithm}": signer.token(iss="us") for signer in SIGNERS},
    **{f"{signer.algorithm} without a kid": signer.token({"alg": signer.algorithm}, iss="us") for signer in PUBLISHED},
    "one aud of many": RSA.token(iss="us", aud=["other", "authenticated"]),
    "an exp of half a second": EC.token(iss="us", exp=FUTURE + 0.5),
    "a clock five seconds ahead": ED.token(iss="us", nbf=int(time.time()) + 5, iat=int(time.time()) + 5),
}
