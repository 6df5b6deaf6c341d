/** The heading of a step. It takes the focus when the step begins, so that nobody is left where a button has gone. */

import { useEffect, useRef, type ReactNode } from "react";
import { texts } from "../texts.ts";

interface Props {
  children: ReactNode;
  /** What the window is called meanwhile. */
  title: string;
  className?: string;
  /** It changes with each step of a screen. */
  step?: string | number;
}

export function Heading({ children, title, className, step = "" }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = texts.title(title);
  }, [title]);
  useEffect(() => {
    window.scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [step]);
  return (
    <h1 ref={heading} tabIndex={-1} className={className}>
      {children}
    </h1>
  );
}
