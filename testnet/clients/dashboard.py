"""The dashboard in a real browser, over the DevTools protocol. One line for each check; exits 1
where one fails. Arguments: the browser's port, the peer's address, the program, the peer's data
directory, the process of another peer (it is killed), a folder for screenshots."""

import base64
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request

port, base, shoal, data, victim, folder = sys.argv[1:7]
failures = 0


class Page:
    """One tab: a WebSocket (RFC 6455) that carries commands, their answers and events."""

    def __init__(self, port):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
        url = json.load(urllib.request.urlopen(request))["webSocketDebuggerUrl"]
        path = "/" + url.split("/", 3)[3]
        self.link = socket.create_connection(("127.0.0.1", int(port)), timeout=30)
        self.link.sendall((
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: c2hvYWwtZGFzaGJvYXJkLQ==\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.link.recv(65536)
        self.buffer = self.buffer.split(b"\r\n\r\n", 1)[1]
        self.number, self.events = 0, []

    def take(self, count):
        while len(self.buffer) < count:
            piece = self.link.recv(1 << 20)
            if not piece:
                raise ConnectionError("the browser went away")
            self.buffer += piece
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def message(self):
        text = b""
        while True:
            head, size = self.take(2)
            size &= 0x7F
            if size == 126:
                size, = struct.unpack(">H", self.take(2))
            elif size == 127:
                size, = struct.unpack(">Q", self.take(8))
            text += self.take(size)
            if head & 0x80:
                return json.loads(text)

    def send(self, method, **parameters):
        self.number += 1
        text = json.dumps({"id": self.number, "method": method, "params": parameters}).encode()
        size = len(text)
        head = bytes([0x81]) + (
            bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + struct.pack(">H", size)
            if size < 65536 else bytes([0xFF]) + struct.pack(">Q", size))
        # A mask of zeros leaves the bytes as they are.
        self.link.sendall(head + bytes(4) + text)
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(answer["error"]["message"])
                return answer["result"]
            self.events.append(answer)

    def value(self, expression):
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def until(self, expression, seconds=20.0):
        """Waits for an expression to be true; how long it took."""
        start = time.monotonic()
        while not self.value(expression):
            if time.monotonic() - start > seconds:
                raise TimeoutError(f"{expression} is {self.value(expression)!r} after {seconds} s")
            time.sleep(0.02)
        return time.monotonic() - start

    def size(self, width, height, phone=False):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=2 if phone else 1, mobile=phone)

    def shoot(self, name, most=4000):
        height = self.value("document.documentElement.scrollHeight")
        width = self.value("document.documentElement.clientWidth")
        image = self.send("Page.captureScreenshot", format="webp", quality=80, clip={
            "x": 0, "y": 0, "width": width, "height": min(height, most), "scale": 1},
            captureBeyondViewport=True)
        pathlib.Path(folder, name).write_bytes(base64.b64decode(image["data"]))

    def press(self, key, code, text=None, modifiers=0):
        fields = dict(key=key, windowsVirtualKeyCode=code, modifiers=modifiers)
        if text:
            fields["text"] = text
        self.send("Input.dispatchKeyEvent", type="keyDown", **fields)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)


def check(name):
    def run(body):
        global failures
        try:
            said = body()
            print(f"ok    {name}" + (f": {said}" if said else ""), flush=True)
        except Exception as error:  # Every failure is a line; the next check runs.
            failures += 1
            print(f"FAIL  {name}: {type(error).__name__}: {error}", flush=True)
    return run


page = Page(port)
for domain in ("Page", "Runtime", "Network", "Log"):
    page.send(f"{domain}.enable")
page.send("Emulation.setScrollbarsHidden", hidden=True)
page.size(1280, 900)
page.send("Page.navigate", url=f"{base}/")
alive = "document.querySelectorAll('#mesh .peer.alive').length"


@check("three peers appear")
def _():
    return f"after {page.until(f'{alive} === 3'):.1f} s"


@check("the heat map is the plan of `shoal plan --json`")
def _():
    page.value("(() => { const box = document.getElementById('objective'); box.value = 'spread';"
               "box.dispatchEvent(new Event('change')); })()")
    page.until("new Set([...document.querySelectorAll('#shares rect')].map((r) => r.dataset.peer)).size === 3")
    cells = page.value(
        "[...document.querySelectorAll('#shares rect')].map((r) => ({...r.dataset}))")
    shown = sorted((cell["peer"], cell["kind"], int(cell["from"]), int(cell["to"]),
                    int(cell["first"]), int(cell["end"])) for cell in cells)
    plan = json.loads(subprocess.run(
        [shoal, "plan", "story", "--objective", "spread", "--data", data, "--json"],
        check=True, capture_output=True).stdout)
    expected = sorted(
        (rank["peer"], kind, start, end, *stage["layers"])
        for stage in plan["stages"] for rank in stage["ranks"]
        for kind in ("attention", "feedForward") for start, end in rank[kind])
    assert shown == expected, (shown, expected)
    return f"{len(shown)} cells of {len(plan['members'])} peers"


@check("a prompt is sent by keyboard alone, and its text streams")
def _():
    page.value("document.querySelector('a.skip').focus()")
    page.press("Enter", 13, "\r")
    for _ in range(30):
        page.press("Tab", 9)
        if page.value("document.activeElement.id") == "prompt":
            break
    assert page.value("document.activeElement.id") == "prompt", "the prompt was not reached"
    page.send("Input.insertText", text="Once upon a time")
    page.press("Enter", 13, "\r")
    page.until("document.querySelector('#answer .facts')?.textContent.includes('digest')", 60)
    facts = page.value("document.querySelector('#answer .facts').textContent")
    return facts


@check("the waterfall has a bar for each token, in three parts")
def _():
    bars = page.value("document.querySelectorAll('#steps rect').length - 3")
    assert bars > 0 and bars % 3 == 0, bars
    return f"{bars // 3} bars"


@check("inputs have labels, pictures have descriptions, focus is visible")
def _():
    bare = page.value("""
      [...document.querySelectorAll('input,select,textarea')]
        .filter((e) => !e.labels?.length && !e.ariaLabel && e.ariaHidden !== 'true').map((e) => e.id)""")
    assert not bare, bare
    silent = page.value("""
      [...document.querySelectorAll('svg[role=img]')].filter((e) => !e.getAttribute('aria-label')).length""")
    assert silent == 0, silent
    page.value("document.getElementById('send').focus()")
    page.press("Tab", 9)
    page.press("Tab", 9, modifiers=8)
    outline = page.value("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", outline


CONTRAST = """
(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll('h1,h2,p,label,td,th,li,button,.note,.quiet,svg text')) {
    if (!e.textContent.trim() || !e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const ink = parse(e.namespaceURI.includes('svg') ? style.fill : style.color);
    const [a, b] = [light(ink), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${e.tagName} ${e.textContent.trim().slice(0, 20)}: ${ratio.toFixed(2)}`);
  }
  return low;
})()"""


def contrast(scheme):
    low = page.value(CONTRAST)
    assert not low, low[:8]
    return f"all text at 4.5:1 or more in the {scheme}"


@check("contrast by day")
def _():
    page.shoot("desktop.webp")
    return contrast("light")


@check("contrast by night")
def _():
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    time.sleep(0.3)
    page.shoot("dark.webp")
    return contrast("dark")


@check("a phone's screen needs no sideways scrolling")
def _():
    page.size(390, 844, phone=True)
    time.sleep(1.5)
    width = page.value("document.documentElement.scrollWidth")
    page.shoot("phone.webp", most=1400)
    assert width <= 390, width
    page.size(1280, 900)
    page.send("Emulation.setEmulatedMedia", features=[])


@check("a killed peer turns grey within two seconds")
def _():
    page.until(f"{alive} === 3")
    os.kill(int(victim), signal.SIGKILL)
    took = page.until("document.querySelectorAll('#mesh .peer.dead').length === 1", 10)
    page.shoot("dead.webp")
    assert took <= 2.0, f"after {took:.2f} s"
    return f"after {took:.2f} s"


@check("no console error, and nothing asked of another host")
def _():
    page.value("1")
    errors = [event for event in page.events
              if event["method"] == "Runtime.exceptionThrown"
              or event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"
              or event["method"] == "Runtime.consoleAPICalled" and event["params"]["type"] == "error"]
    assert not errors, errors[:3]
    asked = [event["params"]["request"]["url"] for event in page.events
             if event["method"] == "Network.requestWillBeSent"]
    foreign = [url for url in asked if not url.startswith(base)]
    assert not foreign, foreign
    return f"{len(asked)} requests"


sys.exit(1 if failures else 0)
