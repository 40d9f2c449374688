// nodemailer's pool. usage: node mailing_nodemailer.cjs FOLDER PORT MESSAGES CONNECTIONS SENDER SUBJECT HTML TEXT
// FOLDER is where nodemailer is installed; the seconds that all messages took are printed.
const [folder, port, count, connections, sender, subject, html, text] = process.argv.slice(2);
const nodemailer = require(require.resolve('nodemailer', { paths: [folder] }));
const pool = nodemailer.createTransport({
  host: '127.0.0.1', port: Number(port), pool: true, maxConnections: Number(connections), maxMessages: Infinity, ignoreTLS: true,
});
const headers = {
  'List-Unsubscribe': '<https://society.example/opt-out/abc>', 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click', Precedence: 'bulk',
};
let next = 0;
async function work() {
  while (next < Number(count)) {
    const number = next++, name = `Member ${number}`;
    await pool.sendMail({
      from: sender, to: `m${number}@members.example`, subject, headers,
      html: html.replaceAll('{{.Name}}', name), text: text.replaceAll('{{.Name}}', name),
    });
  }
}
const began = process.hrtime.bigint();
Promise.all(Array.from({ length: Number(connections) }, work)).then(() => {
  console.log(Number(process.hrtime.bigint() - began) / 1e9);
  pool.close();
});
