#!/usr/bin/env python3
"""Many streams at once against a server that speaks OpenAI's completions: what they get, and when.

    Benchmarks/load.py http://127.0.0.1:PORT --model NAME --streams 64 --seconds 60 --pid PID

Prints one JSON object. Each stream asks again as soon as its answer has ended, until the time is over.
Standard library only; Python itself takes some 30 microseconds for each token that it reads.
"""
import argparse, asyncio, json, os, random, time
from urllib.parse import urlsplit


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--model", default="model")
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm", type=float, default=0, help="seconds before anything is counted")
    parser.add_argument("--tokens", type=int, default=64, help="of each answer")
    parser.add_argument("--prompt", type=int, default=8, help="words of each prompt")
    parser.add_argument("--users", default="", help="parts of the streams, as 60:4")
    parser.add_argument("--idle", type=int, default=0, help="connections that ask nothing")
    parser.add_argument("--slow", type=int, default=0, help="more streams that read one line a second")
    parser.add_argument("--long", type=int, default=0, help="words of a prompt that comes every 5 s")
    parser.add_argument("--leave", type=float, default=0, help="part of the answers that are left half-way")
    parser.add_argument("--pid", type=int, default=0, help="of the server: its memory and its threads")
    return parser.parse_args()


WORDS = "once upon a time there was little girl who had red ball and big dog in the park".split()


class Totals:
    def __init__(self):
        self.tokens = self.answers = self.left = 0
        self.errors, self.gaps, self.first, self.users = {}, [], [], {}


class Client:
    def __init__(self, options):
        parts = urlsplit(options.url)
        self.options, self.host, self.port = options, parts.hostname, parts.port
        self.totals = Totals()
        # What comes between these two is counted.
        self.begin = self.end = 0.0

    def counts(self, now):
        return self.begin <= now < self.end

    async def ask(self, random, user, words, slow=False, counted=True):
        """One answer, token by token."""
        options, totals = self.options, self.totals
        prompt = " ".join(random.choice(WORDS) for _ in range(words))
        body = json.dumps({
            "model": options.model, "prompt": prompt, "max_tokens": options.tokens, "stream": True,
            "temperature": 0.8, "seed": random.randrange(1 << 30), "user": user, "ignore_eos": True,
            "cache_prompt": False, "stream_options": {"include_usage": True}}).encode()
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=1 << 16)
        leaves_at = random.randrange(2, options.tokens) if random.random() < options.leave else None
        try:
            writer.write(
                f"POST /v1/completions HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            asked = last = time.monotonic()
            status = await reader.readline()
            count, done = 0, False
            if b" 200 " not in status:
                raise RuntimeError(status.decode().strip() + " " + (await reader.read(600)).decode()[-160:])
            while line := await reader.readline():
                if line.startswith(b"data: [DONE]"):
                    done = True
                    break
                if line.startswith(b'data: {"error') or b'"error":' in line[:40]:
                    raise RuntimeError(line.decode().strip())
                if not line.startswith(b"data: "):
                    continue
                if b'"usage":{' in line:
                    # Tokens that ended no character came without a piece of their own.
                    usage = json.loads(line[6:])["usage"]["completion_tokens"]
                    if counted and self.counts(time.monotonic()):
                        self.count(user, usage - count)
                    continue
                if b'"finish_reason":"' in line:
                    continue
                now = time.monotonic()
                if counted and self.counts(now):
                    (totals.gaps if count else totals.first).append(now - (last if count else asked))
                    self.count(user, 1)
                last, count = now, count + 1
                if leaves_at is not None and count >= leaves_at:
                    totals.left += 1
                    return
                if slow:
                    await asyncio.sleep(1)
            if not done:
                raise RuntimeError("the answer broke off")
            if self.counts(time.monotonic()):
                totals.answers += 1
        finally:
            writer.close()

    def count(self, user, tokens):
        self.totals.tokens += tokens
        self.totals.users[user] = self.totals.users.get(user, 0) + tokens

    async def stream(self, number, user, **how):
        chance = random.Random(number)
        while time.monotonic() < self.end:
            try:
                await self.ask(chance, user, self.options.prompt, **how)
            except Exception as error:
                if time.monotonic() < self.end:
                    text = f"{type(error).__name__}: {error}"[:200]
                    self.totals.errors[text] = self.totals.errors.get(text, 0) + 1
                    await asyncio.sleep(0.2)

    async def long_prompts(self):
        chance = random.Random(7)
        while time.monotonic() < self.end - 5:
            await asyncio.sleep(5)
            try:
                await self.ask(chance, "long", self.options.long, counted=False)
            except Exception as error:
                self.totals.errors[f"long: {error}"[:200]] = 1


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid):
    """By thread name: those that compute, and all others."""
    kinds = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat") as file:
                text = file.read()
        except OSError:
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        kinds[task, name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return kinds


def quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else None


async def main():
    options = arguments()
    client = Client(options)
    idle = [await asyncio.open_connection(client.host, client.port) for _ in range(options.idle)]
    parts = [int(part) for part in options.users.split(":")] if options.users else [options.streams]
    users = [f"user{index}" for index, part in enumerate(parts) for _ in range(part)]
    start = time.monotonic()
    client.begin = start + options.warm
    client.end = client.begin + options.seconds
    memory, before = [], {}

    async def watch():
        await asyncio.sleep(options.warm)
        before.update(cpu_seconds(options.pid) if options.pid else {})
        while options.pid and time.monotonic() < client.end:
            memory.append(resident(options.pid))
            await asyncio.sleep(options.seconds / 30)

    work = [client.stream(number, user) for number, user in enumerate(users)] + [watch()]
    work += [client.stream(10_000 + n, "slow", slow=True, counted=False) for n in range(options.slow)]
    if options.long:
        work.append(client.long_prompts())
    await asyncio.gather(*(asyncio.wait_for(each, options.warm + options.seconds + 60) for each in work),
                         return_exceptions=True)
    totals = client.totals
    held = sum(1 for reader, writer in idle if not reader.at_eof() and not writer.is_closing())
    milliseconds = lambda value: None if value is None else round(value * 1_000, 2)
    facts = {
        "streams": len(users), "seconds": options.seconds, "answers": totals.answers,
        "tokens": totals.tokens, "tokensPerSecond": round(totals.tokens / options.seconds, 2),
        "errors": totals.errors, "left": totals.left,
        "firstTokenMs": {p: milliseconds(quantile(totals.first, v)) for p, v in
                         (("p50", .5), ("p99", .99))},
        "gapMs": {p: milliseconds(quantile(totals.gaps, v)) for p, v in
                  (("p50", .5), ("p99", .99), ("max", 1))},
        "tokensByUser": totals.users if len(totals.users) > 1 else None,
        "idleHeld": f"{held} of {options.idle}" if options.idle else None,
    }
    if options.pid:
        after, spent = cpu_seconds(options.pid), {}
        for (task, name), seconds in after.items():
            more = seconds - before.get((task, name), 0)
            spent[name] = round(spent.get(name, 0) + more, 2)
        facts["residentMiB"] = {
            "after a third": memory[len(memory) // 3] >> 20, "end": memory[-1] >> 20,
            "most": max(memory) >> 20}
        facts["cpuSecondsByThread"] = {k: v for k, v in sorted(spent.items(), key=lambda x: -x[1]) if v}
    print(json.dumps({key: value for key, value in facts.items() if value is not None}, indent=1))


asyncio.run(main())
