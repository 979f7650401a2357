// A headless Chromium, told what to do over its DevTools protocol. Virtual time would be simpler, but under load it takes
// the picture before the canvases are drawn.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// browser starts Chromium with a profile of its own in a folder.
export async function browser(work) {
  const profile = fs.mkdtempSync(path.join(work, 'chromium-'));
  const process = spawn('chromium', ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'], { stdio: 'ignore' });
  const lost = new Promise((_, failed) => process.on('error', (e) => failed(new Error(`chromium: ${e.message}`))));
  lost.catch(() => {});
  const portFile = path.join(profile, 'DevToolsActivePort');
  for (let i = 0; i < 150 && !fs.existsSync(portFile); i++) await Promise.race([sleep(200), lost]);
  if (!fs.existsSync(portFile)) throw new Error('chromium did not start');
  await sleep(200);
  const [port] = fs.readFileSync(portFile, 'utf8').split('\n');
  return { process, profile, port };
}

// session opens a page and returns how to call it.
async function session(port) {
  const target = await (await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: 'PUT' })).json();
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((done, failed) => { socket.onopen = done; socket.onerror = () => failed(new Error('chromium does not answer')); });
  const waiting = new Map();
  let id = 0;
  socket.onmessage = ({ data }) => {
    const m = JSON.parse(data);
    const w = waiting.get(m.id);
    if (!w) return;
    waiting.delete(m.id);
    if (m.error) w.failed(new Error(m.error.message));
    else w.done(m.result);
  };
  const call = (method, params = {}) => new Promise((done, failed) => {
    waiting.set(++id, { done, failed });
    socket.send(JSON.stringify({ id, method, params }));
  });
  return { call, close: async () => { socket.close(); await fetch(`http://127.0.0.1:${port}/json/close/${target.id}`); } };
}

// shoot takes a picture of a page when an expression in it is true, and returns what another one gives then.
// The whole page is taken where no height is given. theme is what the page is told that its reader wants.
export async function shoot({ port }, url, width, height, ready, answer, out, theme = 'light') {
  const { call, close } = await session(port);
  const evaluate = async (expression) => (await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  try {
    await call('Emulation.setDeviceMetricsOverride', { width, height: height ?? 900, deviceScaleFactor: 1, mobile: false });
    await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }] });
    await call('Page.navigate', { url });
    for (let i = 0; !(await evaluate(ready)); i++) {
      if (i === 600) throw new Error(`${url}: not drawn after two minutes`);
      await sleep(200);
    }
    // What React and the plots still have to do, and then two frames.
    await evaluate('new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done(1))), 1500))');
    if (!height) {
      const whole = await evaluate('document.documentElement.scrollHeight');
      await call('Emulation.setDeviceMetricsOverride', { width, height: whole, deviceScaleFactor: 1, mobile: false });
    }
    const { data } = await call('Page.captureScreenshot', { format: 'png' });
    fs.writeFileSync(out, Buffer.from(data, 'base64'));
    return await evaluate(answer);
  } finally {
    await close();
  }
}
