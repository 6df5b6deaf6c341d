/** Nothing is known yet. It says so only where it takes a while, so that nothing flashes. */

import { texts } from "../texts.ts";

export function Loading() {
  return (
    <main id="content" className="screen middle loading" aria-busy="true">
      <h1 className="quiet note">{texts.loading}</h1>
    </main>
  );
}
