// Plays the beginning of Part 1 in Firefox and prints what became of it:
// node smoke.mjs FIREFOX ADDRESS
import puppeteer from "puppeteer-core";

const [, , executablePath, address] = process.argv;
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
try {
  const page = await browser.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(new URL("/", address).href)) {
      errors.push(`request to another origin: ${request.url()}`);
    }
  });
  await page.goto(address);
  await page.waitForFunction(
    () => ["live", "error"].includes(document.documentElement.dataset.fleetlabState),
    { timeout: 120_000 },
  );
  const runs = [];
  if (await page.evaluate(() => document.documentElement.dataset.fleetlabState === "live")) {
    await noteRun();
    await press("Slightly longer");
    await type("How many times as long?", "4");
    await type("How sure are you?", "fairly");
    await press("Lock my prediction");
    await noteRun();
    await press("Random");
    await noteRun();
  }
  const found = await page.evaluate(() => ({
    state: document.documentElement.dataset.fleetlabState,
    marks: performance.getEntriesByType("mark").map((mark) => mark.name),
    saved: document.documentElement.dataset.saved,
    alerts: [...document.querySelectorAll("[role=alert]")].map((e) => e.innerText).filter(Boolean),
  }));
  console.log(JSON.stringify({ ...found, runs, errors }));

  // Waits for a run other than the last, and keeps it with the address that it belongs to.
  async function noteRun() {
    await page.waitForFunction(
      (last) => ![undefined, last].includes(document.documentElement.dataset.fleetlabRun),
      { timeout: 120_000 },
      runs.at(-1)?.digest,
    );
    runs.push(await page.evaluate(() => ({
      query: location.search, digest: document.documentElement.dataset.fleetlabRun,
    })));
  }

  async function press(text) {
    await (await seek(text)).click();
  }

  async function type(label, keys) {
    await press(label);
    await page.keyboard.type(keys);
  }

  // Waits for the element in view that has just this text, in whatever shadow tree it stands.
  async function seek(text) {
    const found = await page.waitForFunction((wanted) => {
      const visit = (root) => {
        for (const element of root.querySelectorAll("*")) {
          const inside = element.shadowRoot && visit(element.shadowRoot);
          if (inside) return inside;
          const own = !element.childElementCount && element.textContent.trim() === wanted;
          if (own && element.checkVisibility()) return element;
        }
        return null;
      };
      return visit(document);
    }, { timeout: 60_000 }, text);
    return found.asElement();
  }
} finally {
  await browser.close();
}
