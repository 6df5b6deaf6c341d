/** A window over the page, for one thing. The browser's own `dialog` keeps the focus in it, and Escape closes it. */

import { useEffect, useId, useRef, type ReactNode } from "react";

interface Props {
  heading: string;
  children: ReactNode;
  onClose: () => void;
}

export function Window({ heading, children, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closed, and not just taken away: that gives the focus back to where it was.
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} className="window" aria-labelledby={id} onCancel={onClose}>
      <div className="stack">
        <h2 id={id}>{heading}</h2>
        {children}
      </div>
    </dialog>
  );
}
