/** One's own duel that nobody has joined yet: link, code and QR to hand out. */

import type { Match } from "@pairquiz/client";
import { Handing } from "../parts/Handing.tsx";
import { Heading } from "../parts/Heading.tsx";
import { Qr } from "../parts/Qr.tsx";
import { texts } from "../texts.ts";

export function Waiting({ match, onWithdraw }: { match: Match; onWithdraw: () => void }) {
  const words = texts.waiting;
  const link = `${location.origin}${match.join_url}`;
  const code = match.join_code ?? "";
  return (
    <main id="content" className="screen waiting">
      <header className="stack tight">
        <Heading title={words.heading}>{words.heading}</Heading>
        <p className="quiet">{words.text}</p>
      </header>
      <section className="ticket" aria-label={words.heading}>
        <div className="ticket-code">
          <p className="small quiet" dir="auto">
            {match.topic} · {words.code}
          </p>
          <p className="code">
            <span>{code.slice(0, 4)}</span>
            <span>{code.slice(4)}</span>
          </p>
        </div>
        <Qr text={link} label={words.qr} />
      </section>
      <Handing link={link} text={words.shareText(match.topic)} label={words.link} copy={words.copy} />
      <p className="wait" role="status">
        <span className="spin" aria-hidden="true" />
        {words.wait}
      </p>
      <button type="button" className="key flat danger" onClick={onWithdraw}>
        {words.withdraw}
      </button>
    </main>
  );
}
