/** Where the page begins. */

import { createPairQuiz } from "@pairquiz/client";
import { PairQuizProvider } from "@pairquiz/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/keys.css";
import "./styles/fields.css";
import "./styles/home.css";
import "./styles/meeting.css";
import "./styles/duel.css";
import "./styles/question.css";
import "./styles/results.css";
import "./styles/lists.css";

const place = document.getElementById("page");
if (place === null) throw new Error("index.html has no element #page");

createRoot(place).render(
  <StrictMode>
    <PairQuizProvider client={createPairQuiz()}>
      <App />
    </PairQuizProvider>
  </StrictMode>,
);
