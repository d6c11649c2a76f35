// The prompt box: runs one generation at a time and shows its text as it comes.

import { events } from "./api.js";
import { counted, html } from "./draw.js";
import { changed, countToken, note, refreshPlan, state } from "./state.js";

export function listen() {
  const form = document.getElementById("prompt-form");
  const box = document.getElementById("prompt");
  const objective = document.getElementById("objective");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (box.value && state.model) run(box.value);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  objective.addEventListener("change", async () => {
    state.objective = objective.value;
    await refreshPlan();
    changed();
  });
}

async function run(prompt) {
  const answer = document.getElementById("answer");
  const [send, stop] = [document.getElementById("send"), document.getElementById("stop")];
  const abort = new AbortController();
  const text = document.createTextNode("");
  const facts = html("p", { class: "facts" }, "Asking…");
  answer.append(html("div", {}, html("span", { class: "prompt" }, prompt), text), facts);
  stop.onclick = () => abort.abort();
  [send.disabled, stop.hidden] = [true, false];
  state.steps = [];
  try {
    for await (const event of events("api/run", request(prompt), abort.signal)) {
      take(event, text, facts);
      answer.scrollTop = answer.scrollHeight;
    }
  } catch (error) {
    fail(facts, abort.signal.aborted ? "Stopped." : error.message);
  }
  state.busy = new Set();
  [send.disabled, stop.hidden] = [false, true];
  changed();
}

function request(prompt) {
  return {
    model: state.model,
    prompt,
    maximumTokens: Number(document.getElementById("tokens").value),
    temperature: Number(document.getElementById("temperature").value),
    objective: state.objective,
  };
}

function take(event, text, facts) {
  if (event.fetching) {
    facts.textContent = "A peer fetches its share of the weights…";
  } else if (event.started) {
    state.busy = new Set(event.started.peers.map((peer) => peer.id));
    facts.textContent = `Computed by ${counted(event.started.peers.length, "peer")}.`;
    note(`A job runs on ${counted(event.started.peers.length, "peer")}.`);
    changed();
  } else if (event.token) {
    text.appendData(event.token.text);
    countToken();
    if (event.token.cost) state.steps.push(event.token.cost);
  } else if (event.finished) {
    const { result } = event.finished;
    facts.textContent = `${counted(result.tokens.length, "token")}, `
      + `${result.timing.tokensPerSecond.toFixed(1)} tokens/s, `
      + `first after ${(result.timing.firstTokenSeconds * 1000).toFixed(0)} ms; `
      + `digest ${result.digest.slice(0, 16)}`;
    note(`A job ended after ${counted(result.tokens.length, "token")}.`, "good");
  } else if (event.failed) {
    fail(facts, event.failed.error.message);
  }
}

function fail(facts, message) {
  facts.textContent = message;
  facts.classList.add("error");
  note(message, "bad");
}
