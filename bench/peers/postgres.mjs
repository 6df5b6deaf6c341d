// The same with `pg`: its own pool, one statement after the other, each awaited before anybody hears of it.
import pg from "pg";
import { serve } from "./serve.mjs";

// Where the database is, PGHOST, PGUSER and PGDATABASE say, as for every client of PostgreSQL.
const pool = new pg.Pool({ max: 10 });

await pool.query(`
  CREATE TABLE matches (
    id uuid PRIMARY KEY, topic text NOT NULL, status text NOT NULL, version integer NOT NULL, started_at bigint,
    first_player text NOT NULL, second_player text, first_score integer NOT NULL DEFAULT 0,
    second_score integer NOT NULL DEFAULT 0, questions integer[]
  );
  CREATE TABLE answers (
    match_id uuid REFERENCES matches, seat smallint, question_id integer, chosen smallint NOT NULL,
    points integer NOT NULL, answered_at bigint NOT NULL, PRIMARY KEY (match_id, seat, question_id)
  )`);

serve({
  created: (match) => pool.query({
    name: "create", text: "INSERT INTO matches (id, topic, status, version, first_player) VALUES ($1, $2, $3, $4, $5)",
    values: [match.id, match.topic, match.status, match.version, match.seats[0].player.user_id],
  }),
  joined: (match) => pool.query({
    name: "join", text: "UPDATE matches SET status = $2, version = $3, second_player = $4 WHERE id = $1",
    values: [match.id, match.status, match.version, match.seats[1].player.user_id],
  }),
  started: (match) => pool.query({
    name: "start", text: "UPDATE matches SET status = $2, version = $3, started_at = $4, questions = $5 WHERE id = $1",
    values: [match.id, match.status, match.version, match.startedAt, match.questions.map(({ id }) => id)],
  }),
  async answered(match, { seat, question, chosen, points, score, version, at }) {
    const place = match.seats.indexOf(seat);
    await pool.query({
      name: "answer",
      text: `INSERT INTO answers (match_id, seat, question_id, chosen, points, answered_at)
             VALUES ($1, $2, $3, $4, $5, $6)`,
      values: [match.id, place, question.id, chosen, points, at],
    });
    // GREATEST: two statements of one match may overtake each other on their connections.
    await pool.query({
      name: `score-${place}`,
      text: `UPDATE matches SET version = GREATEST(version, $2), status = $3,
             ${place ? "second_score" : "first_score"} = GREATEST(${place ? "second_score" : "first_score"}, $4)
             WHERE id = $1`,
      values: [match.id, version, match.status, score],
    });
  },
});
