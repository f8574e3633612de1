// One visit with a real browser: `node browse.js NAME ORIGIN PICTURES [WORDS…]`. It prints what was seen as JSON; test_browser.py judges it.
// Pictures are for people to look at.
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const { chromium } = require("playwright-core");

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--mute-audio", "--autoplay-policy=no-user-gesture-required"];
const [name, origin, pictures, ...words] = process.argv.slice(2);
if (process.env.WEIR_SPKI) // of a certificate that nobody else trusts
    FLAGS.push(`--ignore-certificate-errors-spki-list=${process.env.WEIR_SPKI}`);
const WAIT = 60000; // the machine may be busy

const picture = (page, what) => page.screenshot({ path: path.join(pictures, `${what}.png`) });

/* What every visit notes: answers, what failed, and what the page complained of. */
function watch(page, seen) {
    page.on("response", async answer => {
        const request = answer.request();
        const note = { path: answer.url().replace(origin, ""), status: answer.status(), kind: request.resourceType() };
        seen.answers.push(note);
        const [asked, fields] = await Promise.all([request.allHeaders(), answer.allHeaders()]).catch(() => [{}, {}]);
        Object.assign(note, { range: asked.range, condition: asked["if-none-match"], coding: fields["content-encoding"],
            type: fields["content-type"], part: fields["content-range"] });
    });
    page.on("requestfailed", request => seen.failed.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on("console", message => ["error", "warning"].includes(message.type()) && seen.complaints.push(message.text()));
    page.on("pageerror", error => seen.complaints.push(String(error)));
}

/* Nothing sticks out of the window to the right. */
const fits = page => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

const visits = {
    /* A page with all that pages have, twice. */
    async page(context, page) {
        await page.goto(`${origin}/app/`, { waitUntil: "networkidle" });
        const state = () => page.evaluate(() => ({
            colour: getComputedStyle(document.querySelector("h1")).color, said: document.querySelector("#said").textContent,
            pictures: [...document.images].map(i => [i.naturalWidth, i.naturalHeight]), protocol: performance.getEntries()[0].nextHopProtocol,
        }));
        const first = await state();
        await picture(page, "page");
        await page.reload({ waitUntil: "networkidle" });
        return { first, second: await state() };
    },

    /* The demo site, in both lights and on a phone. */
    async site(context, page) {
        const found = {};
        for (const file of words) {
            for (const [what, width, height, colorScheme] of [["light", 1280, 900, "light"], ["dark", 1280, 900, "dark"], ["phone", 390, 844, "light"]]) {
                await page.setViewportSize({ width, height });
                await page.emulateMedia({ colorScheme });
                await page.goto(`${origin}/${file}`, { waitUntil: "networkidle" });
                await picture(page, `site-${file.replace(/\W/g, "-")}-${what}`);
                found[`${file} ${what}`] = await fits(page);
            }
        }
        return { fits: found };
    },

    /* Jumps about in a film: each jump asks for a range. */
    async video(context, page) {
        await page.goto(`${origin}/film.html`);
        const state = () => page.evaluate(() => {
            const film = document.querySelector("video");
            const context = Object.assign(document.createElement("canvas"), { width: 8, height: 8 }).getContext("2d");
            context.drawImage(film, 0, 0, 8, 8);
            return { at: film.currentTime, length: film.duration, width: film.videoWidth, error: film.error?.message ?? null,
                dots: [...context.getImageData(0, 0, 8, 8).data].reduce((a, b) => a + b, 0) };
        });
        await page.waitForFunction(() => document.querySelector("video").readyState >= 2, null, { timeout: WAIT });
        const states = [await state()];
        for (const part of [0.8, 0.3, 0.95, 0.0]) {
            await page.evaluate(part => new Promise((done, fail) => {
                const film = document.querySelector("video");
                film.onseeked = done;
                film.onerror = () => fail(film.error);
                film.currentTime = film.duration * part;
            }), part);
            states.push(await state());
            if (part === 0.8)
                await picture(page, "video");
        }
        await page.evaluate(() => document.querySelector("video").play());
        await page.waitForFunction(() => document.querySelector("video").currentTime > 0.5, null, { timeout: WAIT });
        return { states };
    },

    /* Sends two forms to a program: words, and a file. */
    async form(context, page) {
        const sent = [];
        for (const send of ["#words", "#file"]) {
            await page.goto(`${origin}/form.html`);
            await page.fill(`${send} [name=who]`, "Jörg & Söhne = 100% +");
            if (send === "#file")
                await page.setInputFiles("#file [name=upload]", words[0]);
            await Promise.all([page.waitForNavigation({ timeout: WAIT }), page.click(`${send} button`)]);
            sent.push(JSON.parse(await page.evaluate(() => document.body.textContent)));
        }
        const fetched = await page.evaluate(async () => (await fetch("/cgi-bin/form", { method: "PUT", body: new Uint8Array(3e6) })).json());
        return { sent, fetched };
    },

    /* A folder: each link of it, its order, and how it looks. */
    async listing(context, page) {
        const names = () => page.$$eval("tbody tr td:first-child a", links => links.map(a => a.textContent));
        await page.goto(`${origin}/shelf/`);
        const orders = { name: await names() };
        for (const heading of ["Size", "Modified"]) {
            await Promise.all([page.waitForNavigation(), page.click(`th a:has-text("${heading}")`)]);
            orders[heading] = await names();
            await Promise.all([page.waitForNavigation(), page.click(`th a:has-text("${heading}")`)]);
            orders[`${heading} again`] = await names();
        }
        await page.goto(`${origin}/shelf/`);
        const links = await page.$$eval("tbody tr td:first-child a", links => links.map(a => [a.textContent, a.href]).filter(([, to]) => !to.endsWith("/")));
        const other = await context.newPage(); // the page's own policy forbids it to fetch
        await other.goto(`${origin}/digits.txt`);
        const texts = await other.evaluate(links => Promise.all(links.map(async ([name, to]) => [name, await (await fetch(to)).text()])), links);
        await other.close();
        await picture(page, "listing-light");
        await page.emulateMedia({ colorScheme: "dark" });
        await picture(page, "listing-dark");
        const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        await page.setViewportSize({ width: 360, height: 740 });
        await page.emulateMedia({ colorScheme: "light" });
        await picture(page, "listing-phone");
        const narrow = await fits(page);
        await Promise.all([page.waitForNavigation(), page.click('tbody a:has-text("deeper")')]);
        const trail = await page.$$eval("h1 a", links => links.map(a => a.getAttribute("href")));
        await Promise.all([page.waitForNavigation(), page.click("h1 a >> nth=-1")]);
        return { orders, texts, dark, narrow, trail, back: page.url().replace(origin, "") };
    },

    /* The figures move while another page asks for files. */
    async status(context, page) {
        await page.goto(`${origin}/status`);
        await page.waitForFunction(() => document.querySelector("#live").textContent === "live", null, { timeout: WAIT });
        const other = await context.newPage();
        await other.goto(`${origin}/digits.txt`);
        const busy = other.evaluate(async seconds => {
            const end = Date.now() + seconds * 1000;
            while (Date.now() < end) {
                await Promise.all(["digits.txt", "nothing", "a.css"].map(name => fetch(name, { cache: "no-store" }).then(a => a.arrayBuffer())));
                await new Promise(done => setTimeout(done, 20));
            }
        }, Number(words[0]));
        await page.bringToFront();
        const moved = await page.waitForFunction(() => parseFloat(document.querySelector("#rate").textContent) > 5 &&
            document.querySelectorAll("#g1 path").length > 1, null, { timeout: WAIT }).then(() => true, () => false);
        await busy;
        const tiles = await page.$$eval(".tiles div", list => Object.fromEntries(list.map(d => [d.children[0].textContent, d.children[1].textContent])));
        await picture(page, "status-light");
        await page.emulateMedia({ colorScheme: "dark" });
        await picture(page, "status-dark");
        await page.setViewportSize({ width: 360, height: 740 });
        await picture(page, "status-phone");
        const sums = await page.$eval("#sums", body => body.innerText);
        return { moved, tiles, sums, narrow: await fits(page) };
    },

    /* Pages of errors, as a person meets them. */
    async errors(context, page) {
        const found = [];
        for (const where of ["/nothing/here", "/bad%zz", "/shelf", "/.git/config"]) {
            const answer = await page.goto(origin + where).catch(error => ({ status: () => String(error) }));
            found.push({ where, status: answer.status(), url: page.url().replace(origin, ""), title: await page.title(), text: await page.evaluate(() => document.body.innerText) });
            if (where === "/nothing/here") {
                await picture(page, "error-light");
                await page.emulateMedia({ colorScheme: "dark" });
                await picture(page, "error-dark");
            }
        }
        return { found };
    },
};

async function main() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "weir-browser-"));
    const context = await chromium.launchPersistentContext(folder, { executablePath: process.env.WEIR_CHROMIUM || "/usr/bin/chromium",
        headless: true, args: FLAGS, viewport: { width: 1000, height: 700 }, timeout: WAIT, ignoreHTTPSErrors: false });
    const seen = { answers: [], failed: [], complaints: [] };
    try {
        const page = context.pages()[0] ?? await context.newPage();
        page.setDefaultTimeout(WAIT);
        watch(page, seen);
        Object.assign(seen, await visits[name](context, page));
        await new Promise(done => setTimeout(done, 100)); // notes of answers that are still being made
    } finally {
        await context.close();
        fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
    process.stdout.write(JSON.stringify(seen));
}

main().catch(error => {
    console.error(error);
    process.exitCode = 1;
});
