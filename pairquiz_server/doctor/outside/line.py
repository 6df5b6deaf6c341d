"""The way to the server: its name, its port, its certificate."""

import asyncio
import ssl
import time

from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import outside as faults
from pairquiz_server.doctor.finding import Fault, Finding, ok, skipped
from pairquiz_server.doctor.outside.target import ANSWER_S, Target
from pairquiz_server.reach import CertificateFault, Unreachable, Why, certificate_fault, reach

RENEW_DAYS = 14
_DAY_S = 24 * 3600
_FAULTS: dict[Why, Fault] = {
    Why.HOST_UNKNOWN: faults.URL_HOST_UNKNOWN,
    Why.REFUSED: faults.URL_REFUSED,
    Why.SILENT: faults.URL_SILENT,
    Why.NO_ROUTE: faults.URL_SILENT,
}
_CERTIFICATE_FAULTS: dict[CertificateFault, Fault] = {
    CertificateFault.UNTRUSTED: faults.URL_CERTIFICATE_UNTRUSTED,
    CertificateFault.EXPIRED: faults.URL_CERTIFICATE_EXPIRED,
    CertificateFault.HOSTNAME: faults.URL_CERTIFICATE_HOSTNAME,
}


async def look_at_line(target: Target) -> Findings:
    """Yield whether anybody is reached there, and by which certificate."""
    try:
        await reach(target.host, target.port, within_s=ANSWER_S)
    except Unreachable as reason:
        fault = _FAULTS[reason.why]
        yield fault.found("address", host=target.host, place=target.place, port=target.port, url=target.url)
        return
    yield ok("address", f"{target.place} answers")
    yield await _certificate(target) if target.secure else skipped("certificate", "http:// has none")


async def _certificate(target: Target) -> Finding:
    try:
        async with asyncio.timeout(ANSWER_S):
            _, writer = await asyncio.open_connection(target.host, target.port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return _not_taken(error, target.host)
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "reason", None) or "it ends the handshake"
        return faults.URL_NO_TLS.found("certificate", place=target.place, reason=reason, plain=f"http://{target.place}")
    certificate = writer.get_extra_info("peercert")
    version = writer.get_extra_info("ssl_object").version()
    writer.close()
    days = (ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) / _DAY_S
    return certificate_found(target.host, days, version)


def certificate_found(host: str, days: float, version: str) -> Finding:
    """Judge for how many days more a certificate holds."""
    if days < RENEW_DAYS:
        return faults.URL_CERTIFICATE_ENDING.found("certificate", host=host, days=int(days))
    return ok("certificate", f"it holds for {int(days)} days more ({version})")


def _not_taken(error: ssl.SSLCertVerificationError, host: str) -> Finding:
    fault = _CERTIFICATE_FAULTS[certificate_fault(error)]
    return fault.found("certificate", host=host, reason=error.verify_message)
