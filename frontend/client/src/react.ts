// React over the client: a provider that connects it, and the hook that shows what it knows. One file, to be copied.
import { createContext, createElement, type ReactNode, useContext, useEffect, useSyncExternalStore } from "react";
import type { PairQuizClient } from "./client.js";
import type { Snapshot } from "./snapshot.js";

const Client = createContext<PairQuizClient | null>(null);

export interface PairQuizProviderProps {
  readonly client: PairQuizClient;
  readonly children?: ReactNode;
}

/** Connects a client while it is mounted, and hands it to `usePairQuiz` below. */
export function PairQuizProvider({ client, children }: PairQuizProviderProps): ReactNode {
  useEffect(() => {
    client.connect();
    return client.close;
  }, [client]);
  return createElement(Client.Provider, { value: client }, children);
}

/** What is known now, and the `client` with which to act. Renders again after each change. */
export function usePairQuiz(): Snapshot & { readonly client: PairQuizClient } {
  const client = useContext(Client);
  if (client === null) throw new Error("usePairQuiz: put a <PairQuizProvider client={createPairQuiz()}> around it");
  const snapshot = useSyncExternalStore(client.subscribe, client.getSnapshot, client.getSnapshot);
  return { ...snapshot, client };
}

/** The server's time, again every `everyMs`; for countdowns in numbers. Bars are smoother as CSS animations. */
export function useServerTime(everyMs = 250): number {
  const client = useContext(Client);
  if (client === null) throw new Error("useServerTime: put a <PairQuizProvider client={createPairQuiz()}> around it");
  const shown = () => Math.floor(client.now() / everyMs) * everyMs;
  return useSyncExternalStore(
    (tick) => {
      const timer = setInterval(tick, everyMs);
      return () => clearInterval(timer);
    },
    shown,
    shown,
  );
}
