// A frontend as there was one before this server: what it sends, in which order, and what it listens to are its own. It
// asks for no acknowledgement, knows no token and no version, and everybody is user 1.
import { useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { io } from "socket.io-client";

const SERVER = new URLSearchParams(window.location.search).get("server") ?? "http://localhost:8000";

function PairQuiz() {
  const socket = useRef(null);
  const [connected, setConnected] = useState(false);
  const [topic, setTopic] = useState("General");
  const [sessionId, setSessionId] = useState("");
  const [status, setStatus] = useState("");
  const [questions, setQuestions] = useState([]);
  const [current, setCurrent] = useState(0);
  const [results, setResults] = useState(null);
  const [problem, setProblem] = useState("");

  useEffect(() => {
    const line = io(SERVER, {
      transports: ["websocket", "polling"],
      reconnection: true,
      reconnectionAttempts: 5,
      reconnectionDelay: 1000,
      reconnectionDelayMax: 5000,
    });
    socket.current = line;
    line.on("connect", () => setConnected(true));
    line.on("quiz_created", (data) => {
      setSessionId(data.session_id);
      setStatus("Waiting for an opponent");
    });
    line.on("opponent_joined", () => setStatus("Ready to start"));
    line.on("quiz_started", (data) => {
      setQuestions(data.questions);
      setStatus(`${data.time_limit} seconds a question`);
    });
    line.on("quiz_results", (data) => setResults(data));
    line.on("opponent_disconnected", () => setStatus("Your opponent is gone"));
    line.on("error", (data) => setProblem(data.message));
    return () => line.disconnect();
  }, []);

  const create = () => socket.current.emit("create_pair_quiz", { user_id: 1, topic });
  const join = () => socket.current.emit("join_pair_quiz", { session_id: sessionId, user_id: 1 });
  const start = () => socket.current.emit("start_quiz", { session_id: sessionId });
  const answer = (option) => {
    const question_id = questions[current].id;
    socket.current.emit("submit_answer", { session_id: sessionId, question_id, answer: option });
    if (current + 1 === questions.length) {
      socket.current.emit("quiz_completed", { session_id: sessionId, score: 100 });
    }
    setCurrent(current + 1);
  };

  if (!connected) return <p>Connecting</p>;
  const question = questions[current];
  return (
    <>
      <p role="status">{status}</p>
      {problem && <p role="alert">{problem}</p>}
      {results && <h1>Your score: {results.your_score}</h1>}
      {!results && question && (
        <section aria-label="Question">
          <h1>
            {current + 1}. {question.text}
          </h1>
          {question.options.map((option) => (
            <button key={option} onClick={() => answer(option)}>
              {option}
            </button>
          ))}
        </section>
      )}
      {!results && !question && (
        <>
          <label>
            Topic <input value={topic} onChange={(change) => setTopic(change.target.value)} />
          </label>
          <button onClick={create}>Create</button>
          <label>
            Session <input value={sessionId} onChange={(change) => setSessionId(change.target.value)} />
          </label>
          <button onClick={join}>Join</button>
          <button onClick={start}>Start</button>
        </>
      )}
    </>
  );
}

createRoot(document.getElementById("root")).render(<PairQuiz />);
