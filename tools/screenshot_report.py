"""Take pictures of a report as wide as a phone, a tablet and a desktop, light and dark, and look for faults of layout.

python tools/screenshot_report.py runs/mnist_lenet5/001/deploy/report.html /tmp/pictures

A fault is a page that is wider than its window, text that is cut off or smaller than 11 pixels, or text whose contrast
is below 4.5. `--print` writes a PDF, too.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, product
from pathlib import Path
from typing import Any

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
WIDTHS = (360, 820, 1440)
THEMES = ("light", "dark")
TALLEST = 16_000
"""Pixels of the tallest picture; what is below is in the next."""

LOOK = r"""
(() => {
  const faults = [], root = document.documentElement;
  const width = root.clientWidth;
  if (root.scrollWidth > width) faults.push(`the page is ${root.scrollWidth} wide in a window of ${width}`);
  const luminance = ([r, g, b]) => {
    const part = x => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const colour = text => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const found = colour(getComputedStyle(element).backgroundColor);
      if (found[3] > 250) return found;
    }
    return [255, 255, 255];
  };
  const seen = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || element.closest("title, style, svg.network") || !element.getClientRects().length) continue;
    const style = getComputedStyle(element), isDrawn = element.closest("svg");
    const size = parseFloat(style.fontSize) * (isDrawn ? element.getScreenCTM().a : 1);
    if (size < 10.9) faults.push(`${size.toFixed(1)} px: ${text.slice(0, 40)}`);
    const lights = [colour(isDrawn ? style.fill : style.color), ground(isDrawn || element)].map(luminance);
    const contrast = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${text.slice(0, 40)}`);
    const isBeyond = element.getBoundingClientRect().right > width + 1;
    if (isBeyond && !element.closest(".scroll, pre")) faults.push(`beyond the right edge: ${text.slice(0, 40)}`);
  }
  return [...new Set(faults)].slice(0, 20);
})()
"""


class Browser:
    """Chromium, told what to do through a pipe.

    Args:
        send: Where commands are written.
        receive: Where answers are read.
    """

    def __init__(self, send: Any, receive: Any) -> None:
        self._send, self._receive = send, receive
        self._numbers, self._rest = count(1), b""
        self._session: str | None = None
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self("Page.enable")

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Run a command of the DevTools protocol, and return what it answers."""
        message: dict[str, Any] = {"id": next(self._numbers), "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._send.write(json.dumps(message).encode() + b"\0")
        self._send.flush()
        while True:
            answer = self._read()
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def open(self, address: str, *, width: int, theme: str) -> None:
        """Show a page."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self("Page.navigate", url=address)
        while self._read().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, script: str) -> Any:
        """The value of a script."""
        return self("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def pictures(self) -> Iterator[bytes]:
        """The whole page as PNGs, from top to bottom."""
        size = self("Page.getLayoutMetrics")["cssContentSize"]
        for top in range(0, max(1, round(size["height"])), TALLEST):
            clip = {"x": 0, "y": top, "width": size["width"], "height": min(TALLEST, size["height"] - top), "scale": 1}
            shot = self("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
            yield base64.b64decode(shot["data"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._receive.fileno(), 1 << 16)
            if not part:
                raise RuntimeError("Chromium has ended.")
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium without a window; it ends with the block."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        sys.exit("Chromium is missing. On Debian: apt-get install chromium")
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ends = f'exec 3<&{theirs_in} 4>&{theirs_out}; exec "$@"'
        command = ["bash", "-c", ends, "bash", chromium, *OPTIONS, f"--user-data-dir={profile}"]
        child = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        with open(ours_out, "wb") as send, open(ours_in, "rb", buffering=0) as receive:
            try:
                yield Browser(send, receive)
            finally:
                child.terminate()
                child.wait(20)


def main(page: Path, folder: Path, *, is_open: bool, with_print: bool) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    faults = 0
    with browser() as chromium:
        for width, theme in product(WIDTHS, THEMES):
            chromium.open(page.absolute().as_uri(), width=width, theme=theme)
            if is_open:
                chromium.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            found = chromium.evaluate(LOOK) or []
            faults += len(found)
            for number, picture in enumerate(chromium.pictures()):
                name = f"{page.stem}_{width}_{theme}{f'_{number + 1}' if number else ''}.png"
                (folder / name).write_bytes(picture)
            print(f"{width} {theme}: {len(found)} faults")
            for fault in found:
                print(f"  {fault}")
        if with_print:
            pdf = chromium("Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.69)["data"]
            (folder / f"{page.stem}.pdf").write_bytes(base64.b64decode(pdf))
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path, help="a report.html")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--open", action="store_true", help="open everything that is folded")
    parser.add_argument("--print", action="store_true", help="write it as PDF, too, as it is printed")
    arguments = parser.parse_args()
    sys.exit(main(arguments.page, arguments.folder, is_open=arguments.open, with_print=arguments.print))
