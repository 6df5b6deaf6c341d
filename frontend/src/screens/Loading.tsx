/** Nothing is known yet. It says so only where it takes a while, so that nothing flashes. */

import { texts } from "../texts.ts";

export function Loading() {
  return (
    <main id="content" className="screen middle loading" aria-busy="true">
      <p className="quiet">{texts.loading}</p>
    </main>
  );
}
