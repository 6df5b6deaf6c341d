/** What a match has done to one's rating; it comes a second or two after the result, into a place that is kept for it. */

import type { RatingChanged } from "@pairquiz/client";
import { texts } from "../texts.ts";

export function RatingNews({ change }: { change: RatingChanged | null }) {
  const words = texts.results;
  return (
    <p className="rating-news note" role="status">
      {change !== null && (
        <>
          <span className="number">{words.rating(change.rating)}</span>{" "}
          <strong className={`number ${change.change >= 0 ? "up" : "down"}`}>{words.ratingChange(change.change)}</strong>{" "}
          <span className="quiet">
            {[change.provisional ? words.provisional : "", change.weight < 1 ? words.half : ""]
              .filter((part) => part !== "")
              .join(", ")}
          </span>
        </>
      )}
    </p>
  );
}
