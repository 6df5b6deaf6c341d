/** Two cards that face each other: a rival's, and one that waits for whoever looks at it. */
export function Facing() {
  return (
    <div className="facing" aria-hidden="true">
      <span className="facing-card rival" />
      <span className="facing-card empty">?</span>
    </div>
  );
}
