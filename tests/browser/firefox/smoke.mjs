// Loads the lab in Firefox and prints what became of it: node smoke.mjs FIREFOX ADDRESS
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
  const found = await page.evaluate(() => ({
    state: document.documentElement.dataset.fleetlabState,
    marks: performance.getEntriesByType("mark").map((mark) => mark.name),
    alerts: [...document.querySelectorAll("[role=alert]")].map((e) => e.innerText).filter(Boolean),
  }));
  console.log(JSON.stringify({ ...found, errors }));
} finally {
  await browser.close();
}
