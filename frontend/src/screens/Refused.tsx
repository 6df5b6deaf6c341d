/** The server has refused for good: why, and what one can do. */

import { Heading } from "../parts/Heading.tsx";
import { texts } from "../texts.ts";

interface Props {
  code: string;
  message: string;
  onRetry: () => void;
}

export function Refused({ code, message, onRetry }: Props) {
  const words = texts.refused;
  return (
    <main id="content" className="screen middle">
      <div className="stack tight">
        <Heading title={words.heading} className="display">
          {words.heading}
        </Heading>
        <p className="quiet">{reason(code, message)}</p>
      </div>
      <button type="button" className="key main" onClick={onRetry}>
        {texts.again}
      </button>
    </main>
  );
}

function reason(code: string, message: string): string {
  const words = texts.refused;
  if (code === "unauthorized") return words.tokenNeeded;
  if (code === "expired") return words.expired;
  return code === "forbidden" ? words.forbidden : words.other(message);
}
