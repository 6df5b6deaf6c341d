/** Light or dark: as the system has it, until somebody chooses. */

import { useEffect, useState } from "react";
import { keep, kept } from "./memory.ts";

export type Theme = "auto" | "light" | "dark";

const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const KEY = "pairquiz.theme";

/** The theme, and what takes the next one. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(read);
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    keep(KEY, theme);
  }, [theme]);
  return [theme, () => setTheme((now) => NEXT[now])];
}

function read(): Theme {
  const theme = kept(KEY);
  return theme === "light" || theme === "dark" ? theme : "auto";
}
