/** Who one is here, how one has played, and every duel that is over. */

import { useState } from "react";
import type { PastSession, Profile as Known, TopicRecord } from "@pairquiz/client";
import { Heading } from "../parts/Heading.tsx";
import { Past } from "../parts/Past.tsx";
import { texts } from "../texts.ts";

const NAME_MAX = 40;

interface Props {
  profile: Known;
  /** null while it is fetched. */
  history: readonly PastSession[] | null;
  onName: (name: string) => void;
  onRecording: (allowed: boolean) => void;
  /** null where all is shown. */
  onMore: (() => void) | null;
}

export function Profile({ profile, history, onName, onRecording, onMore }: Props) {
  const words = texts.profile;
  return (
    <main id="content" className="screen wide">
      <Heading title={words.heading}>{words.heading}</Heading>
      <div className="columns">
        <div className="stack aside">
          <section className="card standing" aria-label={words.rating}>
            <p className="row apart">
              <span className="label">{words.rating}</span>
              <strong className="display number">{profile.rating}</strong>
            </p>
            <p className="note number">{words.record(profile.won, profile.draw, profile.lost)}</p>
            {profile.provisional && <p className="small quiet">{words.provisional}</p>}
          </section>
          <section className="card">
            <NameForm key={profile.display_name} name={profile.display_name} onName={onName} />
            <label className="switch">
              <input
                type="checkbox"
                role="switch"
                checked={profile.record_runs}
                onChange={(event) => onRecording(event.target.checked)}
                aria-describedby="recording-hint"
              />
              {words.recording}
              <small id="recording-hint">{words.recordingHint}</small>
            </label>
            {profile.kind === "guest" && <p className="small quiet">{words.guest}</p>}
          </section>
          {profile.topics.length > 0 && <TopicTable topics={profile.topics} />}
        </div>
        <section className="stack" aria-labelledby="history" aria-busy={history === null}>
          <h2 id="history">{words.history}</h2>
          {history !== null && history.length === 0 && <p className="quiet">{words.historyEmpty}</p>}
          <ul className="past-list">
            {(history ?? []).map((past) => (
              <Past key={past.session_id} past={past} />
            ))}
          </ul>
          {onMore !== null && (
            <button type="button" className="key flat" onClick={onMore}>
              {words.more}
            </button>
          )}
        </section>
      </div>
    </main>
  );
}

function NameForm({ name, onName }: { name: string; onName: (name: string) => void }) {
  const [text, setText] = useState(name);
  const words = texts.profile;
  const tidy = text.trim();
  return (
    <form
      className="field"
      onSubmit={(event) => {
        event.preventDefault();
        if (tidy !== "" && tidy !== name) onName(tidy);
      }}
    >
      <label htmlFor="name">{words.name}</label>
      <div className="joining">
        <input
          id="name"
          className="input"
          dir="auto"
          value={text}
          // Letters may be of several characters each: the server counts as readers do, and says what is too long.
          maxLength={NAME_MAX * 8}
          onChange={(event) => setText(event.target.value)}
          autoComplete="nickname"
          aria-describedby="name-hint"
        />
        <button type="submit" className="key" disabled={tidy === "" || tidy === name}>
          {words.save}
        </button>
      </div>
      <p id="name-hint" className="small quiet hint">
        {words.nameHint}
      </p>
    </form>
  );
}

function TopicTable({ topics }: { topics: readonly TopicRecord[] }) {
  const words = texts.profile;
  return (
    <section className="stack tight" aria-labelledby="by-topic">
      <h2 id="by-topic">{words.topics}</h2>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{words.topicHead.topic}</th>
            <th scope="col" className="end">
              {words.topicHead.record}
            </th>
            <th scope="col" className="end">
              {words.topicHead.rating}
            </th>
          </tr>
        </thead>
        <tbody>
          {topics.map((each) => (
            <tr key={each.topic}>
              <th scope="row" dir="auto">
                {each.topic}
              </th>
              <td className="number end">{`${each.won} · ${each.draw} · ${each.lost}`}</td>
              <td className="number end">{each.rating}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
