// Makes the pictures of the documents, docs/pictures/*.png: the real client and server with the sample tickets. Only the
// tutor's words are not real: they are written here and spoken by the tests' model.
import { fileURLToPath } from "node:url";
import { launch, startServer } from "./server.mjs";

const DOCS = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const DESK = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const TITLE = "Image upload fails with HTTP 413";

const WHY =
  "Your photo never reaches the application. It passes three hops, and the second one refuses it:\n\n" +
  "1. **The browser** sends the whole file as one request body.\n" +
  "2. **The proxy** reads the declared size first. Its limit is lower, so it answers `413` at once.\n" +
  "3. **The application** would take it, but is never asked.";
const FIX =
  "Raise the proxy's limit a little above the application's:\n\n" +
  "```nginx\nserver {\n    client_max_body_size 20m;   # was 1m\n}\n```\n\n" +
  "Reload it with `nginx -s reload` and try the same photo again. If it still fails, look at which hop ans";

const HOP =
  "The proxy. It reads `Content-Length` before anything is forwarded, so the application's log stays empty. " +
  "You can see it in the `Server` header of the re";

const composer = (page) => page.getByRole("textbox", { name: "Message to the tutor" });

/** Opens a page as one visitor in light or dark, lets `prepare` bring it to the moment, and takes its picture. */
async function picture(browser, name, options, prepare) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await prepare(page);
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(600); // highlighting and formulas come when the browser is idle
  await page.screenshot({ path: `${DOCS}${name}.png` });
  await context.close();
  console.log(`docs/pictures/${name}.png`);
}

/** Somebody with a name, in a browser of their own. */
async function guest(name, room) {
  const context = await browser.newContext();
  const headers = { Origin: server.url };
  await context.request.patch(`${server.url}/me`, { data: { name }, headers });
  await context.request.post(`${server.url}${room}/join`, { data: {}, headers });
  const page = await context.newPage();
  await page.goto(server.url + room);
  return page;
}

async function say(page, text) {
  const field = page.getByRole("textbox", { name: /^Message / });
  await field.fill(text);
  await page.keyboard.press("Enter");
  await page.locator("[data-pending]").waitFor({ state: "detached" });
}

/** A room about the ticket, where three people talk and the tutor answers one of them. */
async function meet(page, ticket_id) {
  const headers = { Origin: server.url };
  const { request } = page.context();
  const make = async (name, topic, more = {}) => {
    const made = await request.post(`${server.url}/rooms`, {
      data: { name, topic, ...more },
      headers,
    });
    return `/rooms/${(await made.json()).id}`;
  };
  await request.patch(`${server.url}/me`, { data: { name: "Chen" }, headers });
  const others = [await make("library-desk", "Books, scans and lost cards")];
  others.push(await make("algebra-2", "Fractions to functions"));
  const room = await make("uploads", "Photos that end with 413", { ticket_id });
  const dee = await guest("Dee", others[1]);
  await say(dee, "@Chen so x is negative?");
  await server.control({ script: `stall@${Math.ceil(HOP.length / 12)}`, text: HOP });
  const [ana, bob] = [await guest("Ana", room), await guest("Bob", room)];
  await say(ana, "Same `413` here, only behind the office proxy.");
  await say(ana, "The VPN makes no difference.");
  await page.goto(server.url + room);
  await page.getByText("The VPN makes no difference.", { exact: true }).waitFor();
  await page.goto(`${server.url}/rooms`);
  await say(bob, "@tutor which hop answers with 413?");
  await bob.getByText(/header of the re$/).waitFor();
  await page.goto(server.url + room);
  await page.getByText(/header of the re$/).waitFor();
  await say(bob, "I never knew there was a second one.");
  await say(ana, "@tutor and where do I raise the limit?");
  await page.getByText(/1 question is waiting/).waitFor();
  await page
    .getByRole("button", { name: /^Latest/ })
    .click({ timeout: 500 })
    .catch(() => undefined);
  await ana.getByRole("textbox", { name: /^Message / }).pressSequentially("th");
  await page.getByText("Ana is typing").waitFor();
}

const server = await startServer({ TUTORDESK_MODEL: "gemini:gemini-3.8-flash" });
const browser = await launch();
try {
  await fetch(`${server.url}/tickets/samples`, { method: "POST" });
  const found = await fetch(`${server.url}/tickets?q=${encodeURIComponent(TITLE)}`);
  const [{ id }] = await found.json();

  await picture(browser, "tickets", { ...DESK, colorScheme: "light" }, async (page) => {
    await page.goto(`${server.url}/tickets`);
    await page.locator("[data-ticket]").nth(5).waitFor();
    await page.keyboard.press("j");
  });
  await picture(browser, "ticket", { ...DESK, colorScheme: "dark" }, async (page) => {
    await page.goto(`${server.url}/tickets/${id}`);
    await page.locator(".md pre").first().waitFor();
  });
  const conversation = async (page) => {
    await server.control({ script: "ok", text: WHY, delay_ms: 30, chunk: 12 });
    await page.goto(`${server.url}/chat?ticket=${id}`);
    await composer(page).fill("Why does this happen?");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByRole("button", { name: "Copy answer" }).waitFor();
    await server.control({ script: `stall@${Math.ceil(FIX.length / 12)}`, text: FIX });
    await composer(page).fill("And how do I fix it?");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText(/which hop ans$/).waitFor();
  };
  await picture(browser, "chat", { ...DESK, colorScheme: "dark" }, conversation);
  await picture(browser, "room", { ...DESK, colorScheme: "dark" }, (page) => meet(page, id));
  await picture(browser, "status", { ...DESK, colorScheme: "light" }, async (page) => {
    await page.goto(`${server.url}/status`);
    await page.getByText(/^Events come one by one/).waitFor();
    await page.getByText(/^Messages go there and back/).waitFor();
    await page.getByText("GET /status", { exact: true }).waitFor();
  });
  await picture(browser, "chat-phone", { ...PHONE, colorScheme: "light" }, conversation);
} finally {
  await browser.close();
  await server.stop();
}
