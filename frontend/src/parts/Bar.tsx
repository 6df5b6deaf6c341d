/** The bar above every screen: the way home, to the lists, to oneself, and the theme. */

import type { Route } from "../app/route.ts";
import type { Theme } from "../app/theme.ts";
import { texts } from "../texts.ts";
import { Icon, type IconName } from "./Icon.tsx";
import { Link } from "./Link.tsx";

interface Props {
  route: Route;
  theme: Theme;
  onTheme: () => void;
}

const PLACES = [
  { name: "play", icon: "play" },
  { name: "best", icon: "list" },
  { name: "profile", icon: "person" },
] as const satisfies { name: Route["name"]; icon: IconName }[];

export function Bar({ route, theme, onTheme }: Props) {
  const words = texts.bar;
  return (
    <header className="bar">
      <Link to={{ name: "play" }} className="brand">
        <Mark />
        {texts.brand}
      </Link>
      <nav aria-label={words.label}>
        {PLACES.map(({ name, icon }) => (
          <Link key={name} to={{ name }} className="tool" aria-current={route.name === name ? "page" : undefined}>
            <Icon name={icon} />
            <span>{words[name]}</span>
          </Link>
        ))}
        <button type="button" className="tool" onClick={onTheme} aria-label={words.theme[theme]} title={words.theme[theme]}>
          <Icon name={theme} />
        </button>
      </nav>
    </header>
  );
}

/** Two sides of one card. */
function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect className="mark-card" x="2" y="2" width="28" height="28" rx="8" />
      <path className="mark-you" d="M8 9h7v14H8a2 2 0 0 1-2-2V11a2 2 0 0 1 2-2Z" />
      <path className="mark-rival" d="M17 9h7a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-7Z" />
    </svg>
  );
}
