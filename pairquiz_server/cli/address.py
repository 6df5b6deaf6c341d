"""Where this machine's own clients find the server."""

import ipaddress


def own_url(host: str, port: int) -> str:
    """Return the address that a client on this machine can use; nobody can connect to 0.0.0.0 everywhere."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        return f"http://localhost:{port}"
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"
