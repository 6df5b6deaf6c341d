-- Used by store/pooling.py. Whose session it is that carries out our statements.

-- name: session
-- The process of PostgreSQL that serves the session.
SELECT pg_backend_pid();

-- name: own
-- One row where the session is served by the process {pid}, else none. The number, an integer of PostgreSQL's own, is
-- written into the text: a statement without parameters is carried out without being prepared.
SELECT WHERE pg_backend_pid() = {pid};
