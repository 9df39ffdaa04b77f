// Two people in a room, each in a browser: how soon one's message is on the other's screen, and how soon a piece of
// the tutor's answer is there after a plain reader of the same stream has it. Wall-clock, on one machine's clock.

const MESSAGES = 60;
const PIECE = "The proxy reads the size first and answers at once. ";
const PIECES = 120;

const p95 = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)];

async function person(browser, server, name) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const headers = { Origin: server.url };
  const named = await context.request.patch(`${server.url}/me`, { data: { name }, headers });
  if (!named.ok()) throw new Error(await named.text());
  return { context, page: await context.newPage(), headers };
}

/** Notes in the page when each text that begins with `bench-` is seen first, and how long the last article is. */
const watchLog = () => {
  window.seen = {};
  window.grown = [];
  const look = () => {
    const log = document.querySelector('[role="log"]');
    for (const [found] of (log?.textContent ?? "").matchAll(/bench-\d+\./g)) {
      window.seen[found] ??= Date.now();
    }
    const articles = log?.querySelectorAll("article");
    const text = articles?.[articles.length - 1]?.textContent ?? "";
    const length = text.length - Math.max(0, text.indexOf("The proxy reads"));
    if (text.includes("The proxy reads")) window.grown.push([length, Date.now()]);
  };
  new MutationObserver(look).observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
  });
};

/** Reads the answer's stream as a plain client; gives the times at which it had so many characters. */
async function readPlainly(server, cookie, replyId) {
  const response = await fetch(`${server.url}/agent/stream/${replyId}`, {
    headers: { Cookie: cookie },
  });
  const arrivals = [];
  let rest = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const now = Date.now();
    rest += part;
    for (const [, id] of rest.matchAll(/^id: (\d+)$/gm)) arrivals.push([Number(id), now]);
    rest = rest.slice(rest.lastIndexOf("\n\n") + 1);
  }
  return arrivals;
}

/** Returns p95 of a message and of a piece of an answer, in ms. */
export async function measureRooms(browser, server) {
  const ana = await person(browser, server, "Ana");
  const ben = await person(browser, server, "Ben");
  const made = await ana.context.request.post(`${server.url}/rooms`, {
    data: { name: "Bench" },
    headers: ana.headers,
  });
  const { id } = await made.json();
  await ben.context.request.post(`${server.url}/rooms/${id}/join`, {
    data: {},
    headers: ben.headers,
  });
  const field = (page) => page.getByRole("textbox", { name: /^Message to/ });
  for (const { page } of [ana, ben]) {
    await page.goto(`${server.url}/rooms/${id}`);
    await field(page).waitFor();
  }
  await ben.page.evaluate(watchLog);
  const sent = {};
  for (let number = 0; number < MESSAGES; number++) {
    await field(ana.page).fill(`bench-${number}.`);
    sent[`bench-${number}.`] = Date.now();
    await ana.page.keyboard.press("Enter");
    await ana.page.waitForTimeout(150);
  }
  await ben.page.getByText(`bench-${MESSAGES - 1}.`, { exact: true }).waitFor();
  const seen = await ben.page.evaluate(() => window.seen);
  const message = p95(Object.entries(sent).map(([text, at]) => seen[text] - at));

  const text = PIECE.repeat(PIECES);
  await server.control({ script: "ok", text, delay_ms: 60, chunk: PIECE.length });
  await field(ana.page).fill("@tutor explain");
  await ana.page.keyboard.press("Enter");
  const reply = await runningReply(ben, server, id);
  const cookie = (await ben.context.cookies()).map(({ name, value }) => `${name}=${value}`).join();
  const arrivals = await readPlainly(server, cookie, reply);
  await ben.page.waitForTimeout(1_000);
  const grown = await ben.page.evaluate(() => window.grown);
  const late = arrivals
    .filter(([length]) => length < text.length)
    .map(([length, at]) => (grown.find(([shown]) => shown >= length - 1)?.[1] ?? Infinity) - at);
  await ana.context.close();
  await ben.context.close();
  return { message, piece: p95(late) };
}

async function runningReply({ context }, server, roomId) {
  for (;;) {
    const room = await (await context.request.get(`${server.url}/rooms/${roomId}`)).json();
    if (room.running_reply) return room.running_reply.id;
  }
}
