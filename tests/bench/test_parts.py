"""A sample belongs to the innermost frame that says which part of the way it is."""

from bench.parts import part_of, parts, table

LOOP = "<module> (pairquiz-server:8);run_forever (loop.c:33192);uv_run (core.c:464)"
COMMIT = f"{LOOP};Committer.run (pairquiz_server/engine/committer.py:90)"


def test_a_librarys_work_belongs_to_its_caller() -> None:
    assert part_of(f"{LOOP};accepted (pairquiz_server/protocol/frames.py:9);encode (msgspec/_core.so)") == "encode"
    assert part_of(f"{COMMIT};decide (pairquiz_server/rules/decide.py:40);UUID.__eq__ (uuid.py:241)") == "decide"
    assert part_of(f"{COMMIT};execute (asyncpg/prepared_stmt.py:2);write (libc.so.6)") == "write"


def test_what_c_does_alone_has_a_part_too() -> None:
    assert part_of(f"{LOOP};uv__io_poll (linux.c:1546);uv__stream_io (stream.c:1210);read (libc.so.6)") == "read"
    assert part_of(f"{LOOP};uv__io_poll (linux.c:1452);epoll_pwait (libc.so.6)") == "wait"
    assert part_of(f"{COMMIT};gc_collect_main (libpython3.11.so.1.0)") == "collect"
    assert part_of("main (somewhere.c:1)") == "rest"


def test_the_microseconds_of_an_answer_are_shared_out() -> None:
    samples = [f"{COMMIT} 3", f"{LOOP};read (libc.so.6) 1", ""]
    assert parts(samples) == {"commit": 3, "read": 1}
    assert "| commit | 30.0 | 75% | batches, rows, asyncpg |" in table(samples, 40)
