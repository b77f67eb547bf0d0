"""Every part on a phone, at 200 and 400 percent, in forced colours and without motion."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError, expect

from fleetlab.app.parts import PARTS
from fleetlab.missions import TRACKS
from fleetlab.scenario import Scenario
from tests.browser.reader import LONG_MS, Reader, lock
from tests.browser.test_accessible import open_tables

PHONE = {"width": 360, "height": 640}
SMALLEST = {"width": 320, "height": 640}
# What a window of 1280 by 1024 has left of the page's own pixels at 200 and at 400 percent.
ZOOMED = ({"width": 640, "height": 512}, {"width": 320, "height": 256})
MEMORY_BYTES = 400e6

# Everything that can be pressed, with the size of the area that takes the press.
TARGETS = """() => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot);
      if (!element.matches("a[href], button, input, select, textarea, summary, .noUi-handle"))
        continue;
      if (!element.checkVisibility({ visibilityProperty: true })) continue;
      const within = element.parentElement?.textContent.trim() !== element.textContent.trim();
      if (getComputedStyle(element).display === "inline" && within) continue; // in a sentence
      if (element.closest(".skip")) continue;
      const label = element.closest("label") ?? element.labels?.[0];
      const area = label?.contains(element) ? label : element;
      const { left, right, width, height } = area.getBoundingClientRect();
      const name = element.getAttribute("aria-label") || (label ?? element).textContent;
      found.push([`${element.tagName} ${name.trim().slice(0, 30)}`, width, height, left, right]);
    }
  };
  visit(document);
  return found;
}"""
# What keeps for itself the finger that would scroll the page up and down.
HOLDING = """() => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot);
      const { touchAction } = getComputedStyle(element);
      if (/auto|manipulation|pan-y/.test(touchAction) || !element.checkVisibility()) continue;
      found.push(`${element.tagName}.${element.className} ${touchAction}`);
    }
  };
  visit(document);
  return found;
}"""
WIDE = "document.scrollingElement.scrollWidth > innerWidth"

# Controls that something else lies on where they are scrolled to.
COVERED = """() => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot);
      if (!element.matches("button, select, textarea, summary, .noUi-handle")) continue;
      if (!element.checkVisibility({ visibilityProperty: true })) continue;
      if (element.closest("[inert]")) continue;
      element.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
      const { left, top, width, height } = element.getBoundingClientRect();
      const hit = root.elementFromPoint(left + width / 2, top + height / 2);
      if (hit && (element.contains(hit) || hit.contains(element))) continue;
      const name = element.getAttribute("aria-label") || element.textContent;
      found.push(`${element.tagName} ${name.trim().slice(0, 40)}`);
    }
  };
  visit(document);
  return found;
}"""


def assert_fits(page: Page, where: str) -> None:
    """Nothing is cut off at the side, and everything is large enough for a finger."""
    with suppress(TimeoutError):  # what is drawn follows the window a little later
        page.wait_for_function(f"!({WIDE})", timeout=10_000)
    assert not page.evaluate(WIDE), f"{where}: the page scrolls sideways"
    room = page.evaluate("innerWidth")
    targets = page.evaluate(TARGETS)
    assert targets
    small = [one for one in targets if round(min(one[1:3]), 1) < 24]
    assert small == [], f"{where}: too small for a finger"
    cut = [one for one in targets if one[3] < 0 or one[4] > room]
    assert cut == [], f"{where}: cut off at the side"


def address(track: str, part: int) -> str:
    scenario = Scenario.default(track, part)
    return "?" + (scenario.but(jobs=600) if part < 3 else scenario).query()


def held_bytes(page: Page) -> float:
    """Return what Python's memory and both of the tab's JavaScript heaps hold."""
    (worker,) = page.workers
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")["totalSize"]
    devtools.detach()
    own = worker.evaluate("() => performance.memory?.totalJSHeapSize ?? 0")
    return float(heap + own + worker.evaluate("() => python._module.HEAPU8.length"))


def test_on_a_phone_every_part_of_every_track_fits_and_takes_a_finger(lab: Any) -> None:
    page = lab("", viewport=SMALLEST, has_touch=True, is_mobile=True)
    reader = Reader(page)
    assert_fits(page, "the four tracks")
    for track in TRACKS:
        reader.go(f"?track={track}")
        assert_fits(page, f"the brief of {track}")
        for part in PARTS:
            reader.go(address(track, part))
            reader.await_run(address(track, part))
            section = page.locator(f".part[data-part='{part}']")
            assert_fits(page, f"{track}, part {part}, before the prediction")
            lock(section)
            expect(section.locator("[data-text=reveal]")).not_to_be_empty(timeout=LONG_MS)
            open_tables(section)
            for size in (SMALLEST, PHONE):
                page.set_viewport_size(size)
                assert_fits(page, f"{track}, part {part}, {size['width']} px")
                assert page.evaluate(HOLDING) == [], "something holds the finger that scrolls"
            page.set_viewport_size(SMALLEST)
        reader.open_view("Ledger")
        assert_fits(page, f"the ledger of {track}")
    assert held_bytes(page) < MEMORY_BYTES


def test_zoomed_to_200_and_400_percent_every_control_is_there_and_nothing_scrolls_sideways(
    lab: Any,
) -> None:
    page = lab(address("titan", 1), viewport=ZOOMED[0])
    reader = Reader(page)
    for part in PARTS:
        reader.go(address("titan", part))
        reader.await_run(address("titan", part))
        section = page.locator(f".part[data-part='{part}']")
        lock(section)
        expect(section.locator("[data-text=reveal]")).not_to_be_empty(timeout=LONG_MS)
        for size in ZOOMED:
            page.set_viewport_size(size)
            assert_fits(page, f"part {part}, {size['width']} px")
            assert page.evaluate(COVERED) == [], f"part {part}, {size['width']} px"


MOVING = """async () => {
  const seen = new Set();
  for (const until = performance.now() + 2000; performance.now() < until; ) {
    for (const { effect } of document.getAnimations()) {
      seen.add(effect.target.outerHTML.slice(0, 80));
    }
    await new Promise(requestAnimationFrame);
  }
  return [...seen];
}"""
STYLES = """element => {
  const own = getComputedStyle(element), before = getComputedStyle(element, "::before");
  return JSON.stringify([own.outlineStyle, own.outlineColor, own.borderColor, own.color,
    own.backgroundColor, before.backgroundColor]);
}"""


def test_in_forced_colours_and_without_motion_states_are_told_apart_and_nothing_moves(
    lab: Any,
) -> None:
    page = lab(address("titan", 2), forced_colors="active", reduced_motion="reduce")
    reader = Reader(page)
    part = page.locator(".part[data-part='2']")
    lock(part)
    expect(part.locator("[data-text=seesaw_title]")).to_contain_text("Loose", timeout=LONG_MS)

    def assert_told_apart(one: Locator, other: Locator) -> None:
        assert one.evaluate(STYLES) != other.evaluate(STYLES), f"{one} looks like {other}"

    options = part.locator("li.option")
    assert_told_apart(options.nth(0), options.nth(1))
    links = page.get_by_role("navigation", name="Parts of the lab").get_by_role("link")
    assert_told_apart(links.nth(2), links.nth(1))
    canvas = page.evaluate(
        """() => { const probe = document.createElement("p"); probe.style.background = "Canvas";
          document.body.append(probe); const { backgroundColor } = getComputedStyle(probe);
          probe.remove(); return backgroundColor; }"""
    )
    for bar in part.locator(".bar[style]").all():
        filled = bar.evaluate("bar => getComputedStyle(bar, '::before').backgroundColor")
        drawn = bar.evaluate("bar => getComputedStyle(bar, '::before').backgroundImage")
        assert (filled, drawn) != (canvas, "none"), "a bar cannot be seen"
    radios = part.get_by_role("radiogroup").first.locator("label > span")
    assert_told_apart(radios.nth(0), radios.nth(1))
    part.get_by_role("button", name="Math Peek").click()
    tabs = page.get_by_role("tab")
    assert_told_apart(tabs.nth(0), tabs.nth(1))

    reader.go(address("titan", 2) + "&load=70")
    assert page.evaluate(MOVING) == []
    beam = part.locator(".beam").evaluate("beam => getComputedStyle(beam).transitionDuration")
    assert float(beam.removesuffix("s")) == 0
