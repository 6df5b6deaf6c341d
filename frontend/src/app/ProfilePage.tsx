/** `/#profile`: who one is, how one has played, and all duels that are over. */

import type { PastSession, Profile as Known } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useState } from "react";
import { Loading } from "../screens/Loading.tsx";
import { Profile } from "../screens/Profile.tsx";
import { texts } from "../texts.ts";
import { useFetched } from "./fetched.ts";
import { useSay } from "./saying.tsx";

export function ProfilePage() {
  const { client } = usePairQuiz();
  const say = useSay();
  const fetched = useFetched(() => client.api.profile(), "profile");
  const first = useFetched(() => client.api.history(), "history");
  const [changed, setChanged] = useState<Known | null>(null);
  const [more, setMore] = useState<{ matches: PastSession[]; cursor: string | null } | null>(null);
  const profile = changed ?? fetched;
  if (profile === null) return <Loading />;

  const cursor = more === null ? (first?.next_cursor ?? null) : more.cursor;
  const change = async (what: { display_name?: string; record_runs?: boolean }) => {
    const outcome = await client.setProfile(what);
    if (outcome.ok) {
      setChanged(outcome);
      say(texts.profile.saved);
    }
  };
  const showMore = async () => {
    const page = await client.api.history({ cursor });
    if (page.ok) setMore({ matches: [...(more?.matches ?? []), ...page.matches], cursor: page.next_cursor });
  };
  return (
    <Profile
      profile={profile}
      history={first === null ? null : [...first.matches, ...(more?.matches ?? [])]}
      onName={(name) => void change({ display_name: name })}
      onRecording={(allowed) => void change({ record_runs: allowed })}
      onMore={cursor === null ? null : () => void showMore()}
    />
  );
}
