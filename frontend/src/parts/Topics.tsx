/** The topics, to choose one of. */

import type { TopicSize } from "@pairquiz/client";
import { texts } from "../texts.ts";

interface Props {
  topics: readonly TopicSize[];
  chosen: string;
  onChoose: (topic: string) => void;
}

export function Topics({ topics, chosen, onChoose }: Props) {
  const words = texts.home;
  if (topics.length === 0) return <p className="quiet">{words.noTopics}</p>;
  return (
    <fieldset className="field">
      <legend>{words.topic}</legend>
      <div className="choices topics">
        {topics.map((topic) => (
          <label key={topic.name} className="choice">
            <input
              type="radio"
              name="topic"
              checked={topic.name === chosen}
              onChange={() => onChoose(topic.name)}
              title={words.topicCount(topic.questions)}
            />
            <span dir="auto">{topic.name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
