"""What can be wrong with the way to a server, as its clients go it."""

from pairquiz_server.doctor.finding import Fault, Outcome

URL_HOST_UNKNOWN = Fault(
    "url-host-unknown",
    "the name {host} has no address: it is misspelled, its DNS record is missing, or not known here yet",
    "getent hosts {host}  # prints nothing until the record is there",
)
URL_REFUSED = Fault(
    "url-refused",
    "nobody listens at {place}: no server runs there, it listens on another port, or on 127.0.0.1 alone",
    "pairquiz-server serve --host 0.0.0.0 --port {port}  # there; pairquiz-server doctor  beside it says more",
)
URL_SILENT = Fault(
    "url-silent",
    "{place} does not answer: a firewall, a machine that is down, or a server that hangs",
    "curl --verbose --max-time 10 {url}/healthz  # until it answers: open the port there, or start the server again",
)
URL_NO_TLS = Fault(
    "url-no-tls",
    "what answers at {place} speaks no TLS: {reason}",
    "pairquiz-server doctor --url {plain}  # if that is the server, put a proxy with a certificate before it",
)
URL_CERTIFICATE_UNTRUSTED = Fault(
    "url-certificate-untrusted",
    "browsers do not take the certificate of {host}: {reason}",
    "certbot certonly --domain {host}  # and serve it whole, with the certificates between it and its root",
)
URL_CERTIFICATE_EXPIRED = Fault(
    "url-certificate-expired",
    "the certificate of {host} has expired, or is not valid yet",
    "certbot renew  # and let the proxy read it again",
)
URL_CERTIFICATE_HOSTNAME = Fault(
    "url-certificate-hostname",
    "the certificate at {host} is for another name: {reason}",
    "certbot certonly --domain {host}",
)
URL_CERTIFICATE_ENDING = Fault(
    "url-certificate-ending",
    "the certificate of {host} ends in {days} days",
    "certbot renew  # or see why whoever renews it has not",
    Outcome.WARNING,
)
URL_REDIRECTS = Fault(
    "url-redirects",
    "{url} leads elsewhere, to {place}: clients of sockets do not follow",
    "pairquiz-server doctor --url {place}  # and give that address to your clients",
)
URL_NOT_OURS = Fault(
    "url-not-ours",
    "what answers at {url} is no pairquiz-server, or not at its root: /healthz says {said}",
    'curl --include {url}/healthz  # must say {{"status":"ok"}}: run the right server there, or pass / on to it',
)
URL_NO_UPSTREAM = Fault(
    "url-no-upstream",
    "a proxy answers at {url}, and reaches no server behind it: HTTP {status}",
    "curl --include http://127.0.0.1:8000/healthz  # on the proxy's machine; then mend where it passes requests on to",
)
VERSION_OTHER = Fault(
    "version-other",
    "the server has version {theirs}, and this command {ours}: what is said here may be out of date",
    "pairquiz-server --version  # on both sides: look by a command of the server's own version",
    Outcome.WARNING,
)

READY_DATABASE = Fault(
    "ready-database",
    "the server says that its database cannot be used",
    "pairquiz-server doctor  # beside the server, with its environment: it says why",
)
READY_MIGRATIONS = Fault(
    "ready-migrations",
    "the server says that its database lacks migrations",
    "pairquiz-server migrate  # beside the server, with its environment",
)
READY_DURABILITY = Fault(
    "ready-durability",
    "the server says that its database could lose what was acknowledged",
    "pairquiz-server doctor  # beside the server, with its environment: it names the settings that are off",
)
READY_REDIS = Fault(
    "ready-redis",
    "the server does not hear the other ones: Redis is away",
    "pairquiz-server doctor  # beside the server, with its environment: it says why",
)
READY_DRAINING = Fault(
    "ready-draining",
    "the server is stopping, and takes nobody new",
    "curl --silent {url}/readyz  # until another one is in its place",
)
READY_OTHER = Fault(
    "ready-other",
    "the server is not ready: {said}",
    "curl --silent {url}/readyz  # what it names is in its log, and in docs/monitoring.md",
)

ORIGIN_BLOCKED = Fault(
    "origin-blocked",
    "the server lets no page of {origin} talk to it: browsers show that as a CORS error",
    "export PAIRQUIZ_SERVER__ALLOWED_ORIGINS={setting}  # for the server, with all others that may",
)
CORS_STRIPPED = Fault(
    "cors-stripped",
    "the server's Access-Control-Allow-Origin does not reach {origin}: HTTP {status}",
    "curl --include --request OPTIONS --header {header} --header 'Access-Control-Request-Method: POST'"
    " {url}/api/topics/  # then let the proxy pass OPTIONS, and the server's headers",
)
CORS_DOUBLED = Fault(
    "cors-doubled",
    "Access-Control-Allow-Origin comes twice ({said}): the proxy adds its own, and browsers refuse both",
    "grep -rn Access-Control /etc/nginx  # take them out of the proxy: the server says them",
)

POLLING_REFUSED = Fault(
    "polling-refused",
    "Socket.IO's handshake by polling is refused: HTTP {status}, {said}",
    "curl --include {handshake}  # must begin with 0: pass /socket.io/ on, by GET and POST",
)
POLLING_CACHED = Fault(
    "polling-cached",
    "two handshakes by polling got the same session: a proxy keeps answers that are nobody else's",
    "grep -rn proxy_cache /etc/nginx  # proxy_cache off; for /socket.io/ and /api/",
)
POLLING_NOT_STICKY = Fault(
    "polling-not-sticky",
    "a polling session was lost between two requests: they go to different servers",
    "grep -rn -A9 upstream /etc/nginx  # hash by address (ip_hash;), or have clients take websockets alone",
)
UPGRADE_NOT_PASSED = Fault(
    "upgrade-not-passed",
    "the proxy does not pass the upgrade to a websocket on: HTTP {status}",
    "grep -rn -A5 proxy_pass /etc/nginx  # add: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
    " proxy_set_header Connection upgrade;",
)
WEBSOCKET_REFUSED = Fault(
    "websocket-refused",
    "a websocket is refused: {said}",
    "curl --include {handshake}  # the same by polling says more",
)
LINE_LATE = Fault(
    "line-late",
    "what the server sends by {transport} comes {ms} ms late: something between holds it back (a buffer, a scanner)",
    "grep -rn proxy_buffering /etc/nginx  # proxy_buffering off; the same for whatever else stands between",
)
LINE_CUT = Fault(
    "line-cut",
    "something between ends a quiet {transport} after {seconds} s; the server would have spoken after {interval}",
    "grep -rn _timeout /etc/nginx /etc/haproxy  # proxy_read_timeout 75s; timeout tunnel 1h; or a shorter"
    " PAIRQUIZ_SERVER__PING_INTERVAL_S",
)
