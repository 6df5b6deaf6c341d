/** A link within the page: it goes without a reload, and is a link in all else (a new tab, copying, the keyboard). */

import type { ComponentProps } from "react";
import { address, go, type Route } from "../app/route.ts";

type Props = Omit<ComponentProps<"a">, "href" | "onClick"> & { to: Route };

export function Link({ to, children, ...rest }: Props) {
  return (
    <a
      {...rest}
      href={address(to)}
      onClick={(event) => {
        const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
        if (!isPlain) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
