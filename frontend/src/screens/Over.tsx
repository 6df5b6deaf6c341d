/** A dead end that says so, and where to go from there. */

import { Heading } from "../parts/Heading.tsx";
import { Link } from "../parts/Link.tsx";
import { texts } from "../texts.ts";

export function Over({ heading, text }: { heading: string; text: string }) {
  return (
    <main id="content" className="screen middle">
      <div className="stack tight">
        <Heading title={heading} className="display">
          {heading}
        </Heading>
        <p className="quiet">{text}</p>
      </div>
      <Link to={{ name: "play" }} className="key main">
        {texts.back}
      </Link>
    </main>
  );
}
