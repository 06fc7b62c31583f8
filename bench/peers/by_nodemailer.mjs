// What a careful user of nodemailer writes: `node by_nodemailer.mjs PORT COUNT < issue.json` prints messages a second.
// A pool of ten connections, which are kept; a message is filled for each reader.

import { readFileSync } from "node:fs";
import { createTransport } from "nodemailer";

const [port, count] = process.argv.slice(2).map(Number);
const issue = JSON.parse(readFileSync(0, "utf8"));
const pool = createTransport({
  pool: true,
  host: "127.0.0.1",
  port,
  ignoreTLS: true,
  maxConnections: 10,
  maxMessages: Infinity,
});

function message(number) {
  const values = {
    name: `Reader ${number}`,
    address: `reader${number}@mail.test`,
    token: String(number).padStart(40, "0"),
  };
  const filled = (words) => words.replace(/%(name|address|token)%/g, (_, name) => values[name]);
  return {
    from: issue.from,
    to: values.address,
    subject: issue.subject,
    messageId: `<${number}@news.example.com>`,
    list: { unsubscribe: `https://news.example.com/u/${values.token}` },
    text: filled(issue.text),
    html: filled(issue.html),
    textEncoding: "quoted-printable",
  };
}

const start = performance.now();
let next = 0;
async function line() {
  while (next < count) await pool.sendMail(message(next++));
}
await Promise.all(Array.from({ length: 20 }, line)); // twice as many as connections, so that none ever waits for work
console.log((count / (performance.now() - start)) * 1000);
pool.close();
