/** A link to hand to somebody: to copy, and where the system can, to share. */

import { useRef, useState } from "react";
import { useAnnounce } from "../app/announce.tsx";
import { useSay } from "../app/saying.tsx";
import { texts } from "../texts.ts";
import { Icon } from "./Icon.tsx";

interface Props {
  link: string;
  /** What stands before the link where it is shared. */
  text: string;
  label: string;
  copy: string;
}

export function Handing({ link, text, label, copy }: Props) {
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const announce = useAnnounce();
  const say = useSay();
  const put = async () => {
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
      announce(texts.waiting.copied);
    } catch {
      // Without permission, and on a page without https, a browser copies nothing.
      field.current?.select();
      say(texts.waiting.copyByHand);
    }
  };
  return (
    <div className="stack tight">
      <input
        ref={field}
        className="input"
        readOnly
        value={link}
        aria-label={label}
        dir="ltr"
        onFocus={(event) => event.currentTarget.select()}
      />
      <div className="row handing">
        <button type="button" className="key" onClick={() => void put()}>
          <Icon name={copied ? "check" : "copy"} />
          {copied ? texts.waiting.copied : copy}
        </button>
        {"share" in navigator && (
          <button
            type="button"
            className="key"
            // Who closes the system's window has decided not to share: nothing is wrong.
            onClick={() => void navigator.share({ text, url: link }).catch(() => undefined)}
          >
            <Icon name="share" />
            {texts.waiting.share}
          </button>
        )}
      </div>
    </div>
  );
}
