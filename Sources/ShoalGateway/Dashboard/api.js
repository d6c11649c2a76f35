// Talks to the peer that served this page, and to nobody else.

let key = sessionStorage.getItem("shoal-key");

function headers() {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** An answer that is no success, with the sentence that the peer sent. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function refusal(response) {
  let message = `The peer answered ${response.status}.`;
  try {
    message = (await response.json()).error.message;
  } catch {
    // The status says enough.
  }
  return new Refused(response.status, message);
}

/** GETs `path` as JSON. Asks for the key where one is demanded. */
export async function get(path) {
  for (;;) {
    const response = await fetch(path, { headers: headers(), cache: "no-store" });
    if (response.status === 401) {
      await askForKey();
    } else if (!response.ok) {
      throw await refusal(response);
    } else {
      return await response.json();
    }
  }
}

/** POSTs `body` and yields each line of the answer as an object. */
export async function* events(path, body, signal) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers() },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw await refusal(response);
  let rest = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
  if (rest) yield JSON.parse(rest);
}

let asking = null;

/** One dialog, however many requests wait for it. */
function askForKey() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("key-dialog");
    dialog.addEventListener("close", () => {
      key = document.getElementById("key").value;
      sessionStorage.setItem("shoal-key", key);
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}
