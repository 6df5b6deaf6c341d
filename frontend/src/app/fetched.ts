/** What is asked for over HTTP, once for each `key`; null until it is here. What fails is tried again. */

import type { Result } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useEffect, useEffectEvent, useState } from "react";

const AGAIN_MS = 3000;

export function useFetched<T>(fetchIt: () => Promise<Result<T>>, key: string): T | null {
  const { connection } = usePairQuiz();
  const [found, setFound] = useState<{ key: string; value: T } | null>(null);
  const ask = useEffectEvent(fetchIt);
  // Whoever comes back to a server asks at once, and hears what has changed meanwhile.
  const isOnline = connection.status === "online";
  useEffect(() => {
    let isWanted = true;
    let timer = 0;
    const look = async () => {
      const outcome = await ask();
      if (!isWanted) return;
      if (outcome.ok) setFound({ key, value: outcome });
      else timer = window.setTimeout(() => void look(), AGAIN_MS);
    };
    void look();
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [key, isOnline]);
  return found?.key === key ? found.value : null;
}
