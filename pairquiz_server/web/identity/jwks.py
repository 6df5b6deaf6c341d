"""The issuer's public keys, fetched from its JWKS address and kept.

Players wait for a fetch only where no key fits that is here already: as long as there are none, and for a key of an
unknown name. That can be anybody's invention, and so causes one fetch in 30 seconds, for all. What was fetched
stays until the address gives something better: an issuer that is away, or answers rubbish, throws nobody out.
"""

import asyncio
import time
from urllib.parse import urlsplit

import structlog
from aiohttp import ClientError, ClientSession

from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.identity.jwk import KeySet, VerifyingKey, read_key_set

log = structlog.get_logger("pairquiz.keys")

REFRESH_S = 600.0
"""A key that its issuer has withdrawn is believed for so long; Supabase's own edge keeps the document as long."""
RETRY_S = 30.0
"""After a fetch that failed, while older keys are there."""
FIRST_RETRY_S = 5.0
"""The same while there are none: nobody with a token can come in."""
UNKNOWN_EVERY_S = 30.0
FETCH_S = 3.0
DOCUMENT_MAX = 64 * 1024


class NoKeys(ValueError):
    """The address answered with something else than a document."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"it answered with HTTP {status}")


class IssuerKeys:
    """The keys behind one address."""

    def __init__(self, url: str, metrics: Metrics) -> None:
        self._url = url
        self._fetches = metrics.key_fetches
        self._keys: KeySet | None = None
        self._fault: str | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._fetched_for_unknown_at = float("-inf")

    async def run(self) -> None:
        """Keep the keys fresh, beside all play, until cancelled."""
        try:
            while True:
                await self._fetched()
                if self._fault is None:
                    await asyncio.sleep(REFRESH_S)
                else:
                    await asyncio.sleep(FIRST_RETRY_S if self._keys is None else RETRY_S)
        finally:
            if self._fetching is not None:
                self._fetching.cancel()

    async def find(self, kid: str | None, algorithm: str) -> VerifyingKey:
        """Return the key by which a token of this `kid` and `alg` has to be signed.

        Raises `Refused`: `unauthorized`, and `keys_unavailable` where it is the issuer's silence that leaves it open.
        """
        if self._lacks(kid, algorithm) and self._may_fetch():
            await self._fetched()
        if self._keys is None or (self._fault is not None and self._lacks(kid, algorithm)):
            raise Refused(Code.KEYS_UNAVAILABLE)
        fitting = self._keys.named(kid, algorithm)
        if not fitting:
            raise Refused(Code.UNAUTHORIZED, "The token is signed by a key that its issuer does not publish")
        if len(fitting) > 1:
            raise Refused(Code.UNAUTHORIZED, "The token must name its key (`kid`): its issuer has several")
        return fitting[0]

    def _lacks(self, kid: str | None, algorithm: str) -> bool:
        """Tell whether a fetch could bring the key. One of that name for another algorithm is none to wait for."""
        return self._keys is None or not (self._keys.knows(kid) or self._keys.named(kid, algorithm))

    def _may_fetch(self) -> bool:
        """Join a fetch that is under way; begin one where the last on behalf of an unknown key is long ago."""
        if self._fetching is not None:
            return True
        now = time.monotonic()
        if now - self._fetched_for_unknown_at < UNKNOWN_EVERY_S:
            return False
        self._fetched_for_unknown_at = now
        return True

    async def _fetched(self) -> None:
        """Wait for the one fetch that is under way, or begin it. Who waits may go: it is everybody's."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
        await asyncio.wait({self._fetching})

    async def _fetch(self) -> None:
        try:
            keys = read_key_set(await download(self._url))
        except (ClientError, OSError, ValueError) as error:
            fault = f"it did not answer in {FETCH_S:g} s" if isinstance(error, TimeoutError) else str(error)
            if self._fault != fault:
                log.warning("keys_not_fetched", url=without_query(self._url), reason=fault, kept=self._keys is not None)
            self._fault = fault
            self._fetches.count("failed")
        else:
            if self._keys is None or self._fault is not None or keys.left_out != self._keys.left_out:
                log.info("keys_fetched", keys=len(keys.keys))
                for reason in keys.left_out:
                    log.warning("key_left_out", reason=reason)
            self._keys, self._fault = keys, None
            self._fetches.count("ok")
        finally:
            self._fetching = None


async def download(url: str) -> bytes:
    """Return the document. No redirect is followed: wherever it led, the keys would be somebody else's to choose.

    Nor is a proxy of the environment used, for the same reason; and nothing is unpacked, so that the bound on
    what is read is one on what is kept. Raises `ValueError` (`NoKeys`), `ClientError`, `OSError`.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with (
        asyncio.timeout(FETCH_S),
        ClientSession(trust_env=False, auto_decompress=False, headers=headers) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        if response.status != 200:
            raise NoKeys(response.status)
        document = bytearray()
        async for chunk in response.content.iter_any():
            document += chunk
            if len(document) > DOCUMENT_MAX:
                raise ValueError(f"its answer has more than {DOCUMENT_MAX} bytes")
        return bytes(document)


def without_query(url: str) -> str:
    """An address as it may stand in the log: what follows the path may be a key of its own."""
    return urlsplit(url)._replace(query="").geturl()
