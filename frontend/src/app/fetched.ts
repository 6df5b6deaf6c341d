/** What is asked for over HTTP, once for each `key`; null until it is here. */

import type { Result } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useEffect, useEffectEvent, useState } from "react";

export function useFetched<T>(fetchIt: () => Promise<Result<T>>, key: string): T | null {
  const { connection } = usePairQuiz();
  const [found, setFound] = useState<{ key: string; value: T } | null>(null);
  const ask = useEffectEvent(fetchIt);
  // Whoever comes back to a server asks again: what failed meanwhile is here then.
  const isOnline = connection.status === "online";
  useEffect(() => {
    let isWanted = true;
    void ask().then((outcome) => {
      if (isWanted && outcome.ok) setFound({ key, value: outcome });
    });
    return () => {
      isWanted = false;
    };
  }, [key, isOnline]);
  return found?.key === key ? found.value : null;
}
