"""An issuer of tokens: its keys, tokens of every kind, and a JWKS endpoint on loopback that can be hurt."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec import Struct

from pairquiz_server import app
from pairquiz_server.web.identity.auth import GUEST_AUDIENCE, GUEST_ISSUER
from tests.web.conftest import SECRET

GUEST_KEY = b"the key of the guests, which nobody knows"
HOUR = 3600


class Signer(Struct, frozen=True):
    """A key, under its name, with its algorithm."""

    algorithm: str
    key: Any
    kid: str | None = None

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": self.algorithm, "typ": "JWT", **({"kid": self.kid} if self.kid is not None else {})}

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as it is published."""
        found = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.key.public_key(), as_dict=True)
        return {**{name: value for name, value in found.items() if name != "key_ops"}, "kid": self.kid, "use": "sig"}

    def sign(self, text: bytes) -> bytes:
        return bytes(jwt.get_algorithm_by_name(self.algorithm).sign(text, self.key))

    def token(self, header: Any = None, **changes: Any) -> str:
        return self.signed(self.header if header is None else header, claims(**changes))

    def signed(self, header: Any, body: Any) -> str:
        """Sign whatever it is: PyJWT itself would not write all of it."""
        text = part(header) + b"." + part(body)
        return (text + b"." + b64(self.sign(text))).decode()


HS = Signer("HS256", SECRET.encode())
GUESTS = Signer("HS256", GUEST_KEY)
RSA = Signer("RS256", rsa.generate_private_key(65537, 2048), "rsa")
EC = Signer("ES256", ec.generate_private_key(ec.SECP256R1()), "ec")
ED = Signer("EdDSA", ed25519.Ed25519PrivateKey.generate(), "ed")
PUBLISHED = (RSA, EC, ED)
SIGNERS = (HS, *PUBLISHED)


def another(like: Signer, kid: str | None = None) -> Signer:
    """A key of the same kind that nobody has published."""
    fresh: dict[str, Callable[[], Any]] = {
        "HS256": lambda: b"x" * 40,
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }
    return Signer(like.algorithm, fresh[like.algorithm](), like.kid if kid is None else kid)


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token says; a claim that is `...` is left out."""
    whole = {"sub": "anna", "aud": "authenticated", "exp": int(time.time()) + HOUR, **changes}
    return {name: value for name, value in whole.items() if value is not ...}


def guest_claims(**changes: Any) -> dict[str, Any]:
    return claims(**{"iss": GUEST_ISSUER, "aud": GUEST_AUDIENCE, "sub": "guest:x", **changes})


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def part(content: Any) -> bytes:
    return b64(content.encode() if isinstance(content, str) else json.dumps(content).encode())


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Issuer:
    """A JWKS endpoint. `answer` may be replaced; while `open` is not set, nobody is answered."""

    def __init__(self) -> None:
        self.url = ""
        self.published: list[Any] = [signer.jwk for signer in PUBLISHED]
        self.requests: list[Mapping[str, str]] = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.answer: Answer = self.key_set

    async def key_set(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"keys": self.published})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(dict(request.headers))
        self.asked.set()
        await self.open.wait()
        return await self.answer(request)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Issuer"]:
        """Answer while inside; an address, once taken, is kept."""
        site = web.Application()
        site.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        listener = app.bind("127.0.0.1", int(self.url.split(":")[2].split("/")[0]) if self.url else 0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
        try:
            await web.SockSite(runner, listener).start()
            yield self
        finally:
            self.open.set()
            await runner.cleanup()
