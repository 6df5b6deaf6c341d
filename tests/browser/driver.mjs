// One Chromium, and any number of windows in it. Lines of JSON come in, {id, call, …}; for each, one goes out,
// {id, result} or {id, error}. Start it with the path of Chromium.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { chromium } from "playwright-core";

const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 50;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const DESKTOP = { viewport: { width: 1280, height: 800 } };

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
});
const browsers = new Map(); // a name → what one person's browser keeps: its storage, its size, its theme
const windows = new Map(); // a name → a window of it

/** What a person sees or hears by this name: an element by its role, or by its text where the role is "text". */
function find(page, { role, name, within, exact = true }) {
  const start = within ? find(page, within) : page;
  const named = name?.pattern === undefined ? name : new RegExp(name.pattern, "u");
  if (role === "text") return start.getByText(named, { exact });
  return start.getByRole(role, named === undefined ? {} : { name: named, exact });
}

/** The first of those that can be seen, or which one of them. */
function first(page, { nth = 0, ...what }) {
  return find(page, what).filter({ visible: true }).nth(nth);
}

const calls = {
  async open({ window, browser: owner, phone, theme }) {
    if (!browsers.has(owner)) {
      const looks = { colorScheme: theme, reducedMotion: "reduce", locale: "en-GB" };
      const context = await browser.newContext({ ...(phone ? PHONE : DESKTOP), ...looks });
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      context.setDefaultTimeout(PATIENCE_MS);
      browsers.set(owner, context);
    }
    const page = await browsers.get(owner).newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(`threw ${error.message}`));
    page.on("console", (said) => said.type() === "error" && faults.push(`logged ${said.text()}`));
    windows.set(window, { page, faults, owner });
  },
  go: ({ page, url }) => page.goto(url, { waitUntil: "domcontentloaded" }).then(() => undefined),
  reload: ({ page }) => page.reload({ waitUntil: "domcontentloaded" }).then(() => undefined),
  address: ({ page }) => page.url(),
  see: ({ page, ...what }) => first(page, what).waitFor(),
  missing: async ({ page, ...what }) => {
    await first(page, what).waitFor({ state: "hidden" });
  },
  read: ({ page, ...what }) => first(page, what).innerText(),
  readAll: ({ page, ...what }) => find(page, what).filter({ visible: true }).allInnerTexts(),
  value: ({ page, ...what }) => first(page, what).inputValue(),
  press: ({ page, ...what }) => first(page, what).click(),
  fill: ({ page, text, ...what }) => first(page, what).fill(text),
  choose: ({ page, option, ...what }) =>
    first(page, what).selectOption({ label: option }).then(() => undefined),
  key: ({ page, key }) => page.keyboard.press(key),
  type: ({ page, text }) => page.keyboard.type(text),
  focused: ({ page }) =>
    page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return "";
      return element.getAttribute("aria-label") ?? (element.labels?.[0] ?? element).innerText.trim();
    }),
  // Playwright's own `waitForFunction` is an eval in the page, which the page's policy forbids.
  async until({ page, script }) {
    const end = Date.now() + PATIENCE_MS;
    while (!(await page.evaluate(script))) {
      if (Date.now() > end) throw new Error("it never becomes true");
      await setTimeout(LOOK_EVERY_MS);
    }
  },
  tell: ({ page, script }) => page.evaluate(script),
  offline: ({ owner, on }) => browsers.get(owner).setOffline(on),
  theme: ({ page, theme }) => page.emulateMedia({ colorScheme: theme }),
  picture: ({ page, path }) => page.screenshot({ path, animations: "disabled" }).then(() => undefined),
  async axe({ page }) {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
  },
  faults: ({ faults }) => faults.splice(0),
  close: ({ page }) => page.close({ runBeforeUnload: false }),
  async leave({ browser: owner }) {
    await browsers.get(owner)?.close();
    browsers.delete(owner);
  },
};

async function answer(line) {
  const { id, call, ...what } = JSON.parse(line);
  try {
    const result = await calls[call]({ ...windows.get(what.window), ...what });
    process.stdout.write(`${JSON.stringify({ id, result: result ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ id, error: error.message })}\n`);
  }
}

process.stdout.write(`${JSON.stringify({ id: 0, result: browser.version() })}\n`);
createInterface({ input: process.stdin }).on("line", answer).on("close", () => browser.close());
