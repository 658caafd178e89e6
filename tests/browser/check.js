// Opens the report's pages in headless Chromium and checks what a reader would meet: no errors under the policy,
// nothing wider than a phone, marks that show the quoted words, tables that sort and filter, an accessible page in
// light and dark, from a folder and from a server, and on paper.
"use strict";
const fs = require("fs");
const http = require("http");
const path = require("path");
const { chromium } = require("playwright-core");

const [, , reports, shots] = process.argv;
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-quic"];
let failures = 0;
let checks = 0;

function check(ok, what) {
  checks += 1;
  if (!ok) {
    failures += 1;
    console.log(`FAILED ${what}`);
  }
}

function pagesOf(night) {
  const root = path.join(reports, night, "report");
  const below = (folder) => fs.readdirSync(path.join(root, folder)).sort().map((f) => `${folder}/${f}`);
  const top = fs.readdirSync(root).filter((f) => f.endsWith(".html")).sort();
  const kinds = ["teams", "agents", "rules", "chats"].filter((k) => fs.existsSync(path.join(root, k)));
  return { top, kinds: Object.fromEntries(kinds.map((k) => [k, below(k)])) };
}

// Every page of small kinds, a few of large ones.
function sample(night, most) {
  const { top, kinds } = pagesOf(night);
  const some = (list) => list.filter((_, i) => i % Math.max(1, Math.ceil(list.length / most)) === 0);
  return top.concat(...Object.values(kinds).map(some));
}

function serve(root) {
  const types = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript" };
  const server = http.createServer((request, response) => {
    const file = path.join(root, path.normalize(decodeURIComponent(new URL(request.url, "http://x").pathname)));
    if (!file.startsWith(root) || !fs.existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[path.extname(file)] || "application/octet-stream" });
    fs.createReadStream(file).pipe(response);
  });
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(server)));
}

function url(base, page) {
  return `${base}/${page.split("/").map(encodeURIComponent).join("/")}`;
}

async function open(browser, address, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.problems = [];
  watch(page, address);
  await page.goto(address);
  return page;
}

function watch(page, address) {
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) page.problems.push(m.text()); });
  page.on("pageerror", (e) => page.problems.push(String(e)));
  page.on("dialog", (d) => { page.problems.push(`dialog ${d.message()}`); d.dismiss(); });
  page.on("request", (r) => {
    const same = r.url().startsWith("data:") || r.url().startsWith(new URL(address).protocol === "file:" ? "file:" : new URL(address).origin);
    if (!same) page.problems.push(`asks for ${r.url()}`);
  });
}

async function looks(page, name) {
  check(page.problems.length === 0, `${name}: ${page.problems.join(" | ")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(wide <= 0, `${name}: wider than the screen by ${wide}px`);
}

// axe runs in the page's own world: injected by the debugger, which the page's policy does not bind.
async function accessible(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(", ")}`);
  check(found.violations.length === 0, `${name}: axe ${told.join(" | ")}`);
  check(found.passes.length > 10, `${name}: axe looked at something`);
}

async function marks(page, name) {
  const wrong = await page.evaluate(() => Array.from(document.querySelectorAll(".remark")).filter((note) => {
    const number = note.dataset.f;
    const parts = Array.from(document.querySelectorAll("mark")).filter((m) => m.dataset.f.split(" ").includes(number));
    return parts.map((p) => p.textContent).join("") !== note.dataset.quote;
  }).map((note) => note.id));
  check(wrong.length === 0, `${name}: marks differ from quotes at ${wrong.join(", ")}`);
}

async function tables(page, name) {
  const first = () => page.$eval("#agents-t tbody tr:not([hidden]) th", (e) => e.textContent);
  const numbers = () => page.$$eval("#agents-t tbody tr", (rows) => rows.map((r) => r.cells[2].dataset.v).map(Number));
  const heading = page.locator("#agents-t thead button").nth(2);
  await heading.click();
  let now = await numbers();
  check(now.every((v, i) => i === 0 || now[i - 1] >= v), `${name}: first click sorts from the top`);
  check(await page.getAttribute("#agents-t thead th:nth-child(3)", "aria-sort") === "descending", `${name}: says how it is sorted`);
  await heading.focus();
  await page.keyboard.press("Enter");
  now = await numbers();
  check(now.every((v, i) => i === 0 || now[i - 1] <= v), `${name}: Enter turns the order round`);
  await page.locator("#agents-t thead button").first().click();
  const names = await page.$$eval("#agents-t tbody th", (all) => all.map((e) => e.textContent.trim()));
  check(names.every((v, i) => i === 0 || names[i - 1].localeCompare(v, "zh") <= 0), `${name}: names sort`);
  const all = names.length;
  const wanted = names[Math.floor(all / 2)];
  await page.fill(".tools[data-for=agents-t] input", wanted);
  check((await first()).trim() === wanted, `${name}: filters to ${wanted}`);
  const shown = await page.$$eval("#agents-t tbody tr:not([hidden])", (rows) => rows.length);
  check(shown >= 1 && shown < all, `${name}: filter hides others (${shown} of ${all})`);
  await page.fill(".tools[data-for=agents-t] input", "");
  // Without teams there is nothing to choose.
  if (await page.locator(".tools[data-for=agents-t] select").count() === 0) return;
  const group = await page.$eval(".tools[data-for=agents-t] select", (s) => s.options[1].value);
  await page.selectOption(".tools[data-for=agents-t] select", group);
  const groups = await page.$$eval("#agents-t tbody tr:not([hidden])", (rows) => rows.map((r) => r.dataset.g));
  check(groups.length > 0 && groups.every((g) => g === group), `${name}: chooses a team`);
}

async function steps(page, name) {
  const count = await page.locator(".remark").count();
  if (count === 0) return;
  await page.keyboard.press("j");
  check(await page.locator(".remark.on").getAttribute("data-f") === "1", `${name}: j goes to the first finding`);
  await page.keyboard.press("k");
  check(await page.locator(".remark.on").getAttribute("data-f") === String(count), `${name}: k goes round to the last`);
  check(await page.evaluate(() => document.activeElement.classList.contains("remark")), `${name}: the note has the focus`);
}

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: FLAGS });
  const nights = fs.readdirSync(reports).filter((n) => !n.startsWith(".")).sort();
  const modes = [];
  for (const width of [375, 1280]) for (const colorScheme of ["light", "dark"]) {
    modes.push({ viewport: { width, height: 900 }, colorScheme });
  }
  for (const night of nights) {
    const root = path.resolve(reports, night, "report");
    const server = await serve(root);
    const places = [`file://${root}`, `http://127.0.0.1:${server.address().port}`];
    // Every page of two nights, and a part of the others, from the folder on a phone.
    const whole = ["nightly", "hostile"].includes(night);
    const phone = await open(browser, url(places[0], "index.html"), modes[0]);
    for (const name of sample(night, whole ? Infinity : 12)) {
      phone.problems = [];
      await phone.goto(url(places[0], name));
      await looks(phone, `${night} ${name}`);
      if (name.startsWith("chats/")) await marks(phone, `${night} ${name}`);
    }
    await phone.context().close();
    // Some of each kind in light and dark, small and large; and from a server.
    const chosen = sample(night, whole ? 3 : 1);
    for (const mode of whole ? modes : [modes[0], modes[3]]) {
      const page = await open(browser, url(places[0], "index.html"), mode);
      for (const name of chosen) {
        const what = `${night} ${name} ${mode.viewport.width} ${mode.colorScheme}`;
        page.problems = [];
        await page.goto(url(places[0], name));
        await looks(page, what);
        await accessible(page, what);
      }
      await page.context().close();
    }
    const served = await open(browser, url(places[1], "index.html"), modes[2]);
    for (const name of chosen) {
      served.problems = [];
      await served.goto(url(places[1], name));
      await looks(served, `${night} ${name} served`);
    }
    await served.context().close();
    for (const place of places) {
      if (pagesOf(night).kinds.agents) {
        const page = await open(browser, url(place, "agents.html"), modes[2]);
        if (await page.locator("#agents-t tbody tr").count() > 5) await tables(page, `${night} agents.html ${place.slice(0, 4)}`);
        await page.context().close();
      }
      for (const name of (pagesOf(night).kinds.chats || []).slice(0, 5)) {
        const page = await open(browser, url(place, name), modes[2]);
        await steps(page, `${night} ${name}`);
        await page.context().close();
      }
    }
    // On paper nothing is cut off on the right.
    const paper = await open(browser, url(places[0], "index.html"), { viewport: { width: 718, height: 1000 } });
    await paper.emulateMedia({ media: "print" });
    await looks(paper, `${night} index.html on paper`);
    check((await paper.pdf({ format: "A4" })).length > 10000, `${night}: prints`);
    await paper.context().close();
    server.close();
  }
  // A link from an agent's page arrives at the note in the chat.
  const root = path.resolve(reports, "nightly", "report");
  const page = await open(browser, url(`file://${root}`, "agents/a14.html"), modes[2]);
  await page.locator("#findings .cite a").first().click();
  await page.waitForURL(/chats\//);
  check(await page.locator(".remark:target").count() === 1, "a finding's link leads to its note");
  check(await page.locator(".remark:target").isVisible(), "the note is seen");
  await page.context().close();
  // Without script everything can still be read.
  const plain = await open(browser, url(`file://${root}`, "agents.html"), { ...modes[2], javaScriptEnabled: false });
  check(await plain.locator("#agents-t tbody tr").count() === 15, "the table stands without script");
  await plain.context().close();
  const size = fs.statSync(path.join(reports, "crowd", "report", "index.html")).size;
  check(size < 500_000, `index.html of 500 agents has ${size} bytes`);
  if (shots) {
    const chat = fs.readdirSync(path.join(root, "chats")).sort().map((f) => ({ f, text: fs.readFileSync(path.join(root, "chats", f), "utf8") }))
      .map(({ f, text }) => ({ f, notes: (text.match(/role="note"/g) || []).length + (text.includes("hl critical") ? 5 : 0) }))
      .sort((a, b) => b.notes - a.notes)[0].f;
    for (const [name, file, mode, height] of [
      ["tonight", "index.html", modes[2], 980], ["agent", "agents/a14.html", modes[2], 1100], ["chat", `chats/${chat}`, modes[3], 1100],
    ]) {
      const shot = await open(browser, url(`file://${root}`, file), { ...mode, viewport: { width: 1180, height } });
      if (name === "chat") await shot.locator("#chat").evaluate((e) => window.scrollTo(0, e.offsetTop - 40));
      await shot.screenshot({ path: path.join(shots, `${name}.png`) });
      await shot.context().close();
    }
  }
  await browser.close();
  console.log(`${checks} checks in ${nights.length} nights, ${failures} failed`);
  process.exit(failures ? 1 : 0);
}

main().catch((error) => { console.error(error); process.exit(1); });
