/** Lists of the best. */

import type { Ranked, RankList } from "@pairquiz/client";
import { Heading } from "../parts/Heading.tsx";
import { Name } from "../parts/Name.tsx";
import { OneOf } from "../parts/OneOf.tsx";
import { texts } from "../texts.ts";

const PERIODS = ["week", "all"] as const;
export type Period = (typeof PERIODS)[number];

interface Props {
  topics: readonly string[];
  /** The name that stands for all topics together. */
  every: string;
  topic: string;
  period: Period;
  /** null while it is fetched. */
  list: RankList | null;
  onTopic: (topic: string) => void;
  onPeriod: (period: Period) => void;
}

export function Best({ topics, every, topic, period, list, onTopic, onPeriod }: Props) {
  const words = texts.best;
  return (
    <main id="content" className="screen">
      <Heading title={words.heading}>{words.heading}</Heading>
      <div className="row best-choice">
        <OneOf
          name="period"
          legend={words.period}
          choices={PERIODS}
          chosen={period}
          label={(each) => words.periods[each]}
          onChoose={onPeriod}
        />
        <div className="field">
          <label htmlFor="best-topic">{words.topic}</label>
          <select id="best-topic" className="input" value={topic} onChange={(event) => onTopic(event.target.value)}>
            <option value={every}>{words.every}</option>
            {topics.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </div>
      </div>
      <section className="stack best-list" aria-busy={list === null} aria-label={words.heading}>
        {list !== null && <List list={list} />}
      </section>
    </main>
  );
}

function List({ list }: { list: RankList }) {
  const words = texts.best;
  const { you } = list;
  const isOutside = you !== null && you.listed && !list.entries.some((entry) => entry.you);
  return (
    <>
      <p className="note quiet">{about(list)}</p>
      {you !== null && (
        <p className="note">
          <strong>{you.listed ? words.yourPlace(you.rank, list.players) : words.notListed(you.rank)}</strong>
        </p>
      )}
      {list.entries.length === 0 ? <p className="quiet">{words.empty}</p> : <Table entries={list.entries} />}
      {isOutside && <Table entries={you.around} />}
    </>
  );
}

function Table({ entries }: { entries: readonly Ranked[] }) {
  const { columns } = texts.best;
  const isWeekly = entries.some((entry) => entry.points !== undefined);
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{columns.rank}</th>
          <th scope="col">{columns.name}</th>
          <th scope="col" className="end">
            {columns.matches}
          </th>
          <th scope="col" className="end">
            {isWeekly ? columns.points : columns.rating}
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry, index) => (
          <tr key={index} className={entry.you === true ? "mine" : undefined}>
            <td className="number">{entry.rank}</td>
            <th scope="row">
              <Name>{entry.display_name}</Name>
              {entry.you === true && <span className="tag">{texts.you}</span>}
            </th>
            <td className="number end">{entry.matches}</td>
            <td className="number end">{entry.points ?? entry.rating}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function about({ begins_at: from, ends_at: to }: RankList): string {
  const words = texts.best;
  if (from === null || to === null) return words.allTime;
  const day = (ms: number) => new Date(ms).toLocaleDateString(texts.language, { day: "numeric", month: "long", timeZone: "UTC" });
  return words.week(day(from), day(to - 1));
}
