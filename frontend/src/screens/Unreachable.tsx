/** No server answers, and has not since the page was opened. */

import { Heading } from "../parts/Heading.tsx";
import { texts } from "../texts.ts";

export function Unreachable() {
  const words = texts.unreachable;
  return (
    <main id="content" className="screen middle">
      <div className="stack tight">
        <Heading title={words.heading} className="display">
          {words.heading}
        </Heading>
        <p className="quiet">{words.text}</p>
      </div>
      <button type="button" className="key main" onClick={() => location.reload()}>
        {texts.again}
      </button>
    </main>
  );
}
