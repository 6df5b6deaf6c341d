/** Both players' points after each question, as two lines. */

import type { Race } from "../app/story.ts";
import { texts } from "../texts.ts";

const [WIDTH, HEIGHT, EDGE] = [320, 120, 10];

export function RaceChart({ race, name }: { race: Race; name: string }) {
  const all = [...race.yours, ...race.theirs];
  const [low, high] = [Math.min(0, ...all), Math.max(1, ...all)];
  const steps = race.yours.length - 1;
  const point = (points: number, index: number): [number, number] => [
    EDGE + (index / Math.max(1, steps)) * (WIDTH - 2 * EDGE),
    HEIGHT - EDGE - ((points - low) / (high - low)) * (HEIGHT - 2 * EDGE),
  ];
  return (
    <figure className="race">
      <figcaption className="small quiet">{texts.results.race}</figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={texts.results.raceHeard(race.yours.slice(1).join(", "), name, race.theirs.slice(1).join(", "))}
      >
        {race.yours.map((_, index) => (
          <line key={index} className="race-step" x1={point(0, index)[0]} x2={point(0, index)[0]} y1={EDGE} y2={HEIGHT - EDGE} />
        ))}
        <Line who="rival" points={race.theirs.map(point)} />
        <Line who="you" points={race.yours.map(point)} />
      </svg>
    </figure>
  );
}

function Line({ who, points }: { who: "you" | "rival"; points: [number, number][] }) {
  const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const last = points.at(-1);
  return (
    <g className={`race-line ${who}`}>
      <polyline className="race-under" points={path} />
      <polyline points={path} />
      {last !== undefined && <circle cx={last[0]} cy={last[1]} r="5" />}
    </g>
  );
}
