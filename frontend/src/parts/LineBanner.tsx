/** What is not as it should be with the line, or that no duel begins for a while: over the page, so that nothing moves. */

import { usePairQuiz } from "@pairquiz/client/react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useAnnounce } from "../app/announce.tsx";
import { texts } from "../texts.ts";

/** A line that is back within this time is nothing to tell of. */
const PATIENCE_MS = 700;

export function LineBanner() {
  const { connection, player, maintenance } = usePairQuiz();
  const hasNetwork = useSyncExternalStore(subscribe, () => navigator.onLine);
  const trouble = bannerText(connection, hasNetwork);
  const shown = useSettled(trouble ?? (maintenance && (maintenance.message ?? texts.line.maintenance)));
  const announce = useAnnounce();
  const wasDown = useRef(false);
  useEffect(() => {
    if (shown === null && wasDown.current) announce(texts.line.back);
    wasDown.current = shown !== null && trouble !== null;
  }, [shown, trouble, announce]);
  // Before anybody was ever let in, a screen of its own says it.
  if (player === null) return null;
  return (
    <div role="status">
      {shown !== null && (
        <p className="banner">
          {trouble !== null && <span className="spin" aria-hidden="true" />}
          {shown}
        </p>
      )}
    </div>
  );
}

function bannerText(connection: ReturnType<typeof usePairQuiz>["connection"], hasNetwork: boolean): string | null {
  if (connection.status === "online") return connection.draining ? texts.line.draining : null;
  if (connection.status !== "offline") return null;
  return hasNetwork ? texts.line.lost : texts.line.offline;
}

/** A text that has stood for a moment; that there is none is true at once. */
function useSettled(text: string | null): string | null {
  const [settled, setSettled] = useState<string | null>(null);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(text), text === null ? 0 : PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return text === null ? null : settled;
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}
