// Draws every dashboard with Grafana's own components, the page of figures and a letter in headless Chromium, light and dark, from a
// real Prometheus that has scraped a real Meantime: one with a year of incidents, and an empty one. `make pictures` runs it.
//
//   node test/pictures/run.mjs [--check] [dashboard… | pages]
//
// --check only holds the dashboards to Grafana's types. The pictures of the demo's year go to docs/pictures. Those for looking
// at, of the whole year where docs have 90 days and of the empty store, and everything else go to dist/pictures. It
// needs Go, Node, npm, Chromium, Prometheus and promtool.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { browser, shoot } from './browser.mjs';
import { shrink } from './png.mjs';
import { check } from './schema.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const work = path.join(root, 'dist/pictures');
const DAY = 86400e3;
const running = [];

// The WebSocket that browser.mjs needs is behind --experimental-websocket in Node 20, and without it from Node 22 on.
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const iso = (t) => new Date(t).toISOString().replace(/\.\d+Z/, 'Z');

function run(command, args, options = {}) {
  const p = spawnSync(command, args, { cwd: work, encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (p.error) throw new Error(`${command}: ${p.error.message}`);
  if (p.status !== 0) throw new Error(`${command} ${args.join(' ')}: status ${p.status}\n${p.stdout ?? ''}${p.stderr ?? ''}`);
  return p.stdout;
}

// start runs a server until the end of this program.
async function start(name, command, args, ready) {
  const log = fs.openSync(path.join(work, `${name}.log`), 'w');
  const p = spawn(command, args, { cwd: work, stdio: ['ignore', log, log] });
  running.push(p);
  p.on('error', () => {});
  for (let i = 0; i < 3000; i++) { // ten minutes: the demo takes half a minute, and machines are busy
    if (p.exitCode !== null) break;
    const ok = await fetch(ready).then((r) => r.ok, () => false);
    if (ok) return p;
    await sleep(200);
  }
  throw new Error(`${name} did not start; see ${work}/${name}.log`);
}

async function stop(p) {
  const gone = new Promise((done) => p.once('exit', done));
  p.kill('SIGTERM');
  await gone;
}

// install gets the packages of the lock file into the work folder.
function install() {
  const lock = path.join(here, 'package-lock.json');
  const stamp = path.join(work, 'installed');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === fs.readFileSync(lock, 'utf8')) return;
  for (const f of ['package.json', 'package-lock.json']) fs.copyFileSync(path.join(here, f), path.join(work, f));
  console.log('Installing Grafana\'s components');
  run('npm', ['ci', '--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund']);
  fs.copyFileSync(lock, stamp);
}

async function bundle() {
  const web = path.join(work, 'web');
  fs.rmSync(web, { recursive: true, force: true });
  const esbuild = createRequire(path.join(work, 'package.json'))('esbuild');
  await esbuild.build({
    entryPoints: [path.join(here, 'src/main.jsx')], outfile: path.join(web, 'main.js'), bundle: true, format: 'esm', minify: true, logLevel: 'warning',
    nodePaths: [path.join(work, 'node_modules')], define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.svg': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl' },
  });
  fs.copyFileSync(path.join(here, 'src/index.html'), path.join(web, 'index.html'));
  fs.cpSync(path.join(root, 'dashboards'), path.join(web, 'dashboards'), { recursive: true, filter: (f) => !/\.\w+$/.test(f) || f.endsWith('.json') });
}

// serve answers with the files of the bundle, on this machine only.
function serve() {
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };
  const server = http.createServer((req, res) => {
    const file = path.join(work, 'web', path.normalize(decodeURIComponent(new URL(req.url, 'http://x').pathname)));
    fs.readFile(file, (err, body) => {
      res.writeHead(err ? 404 : 200, { 'Content-Type': types[path.extname(file)] ?? 'application/octet-stream' });
      res.end(err ? 'no such file' : body);
    });
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}

// free finds a port that nobody listens on.
const free = () => new Promise((done) => {
  const s = http.createServer().listen(0, '127.0.0.1', () => {
    const { port } = s.address();
    s.close(() => done(port));
  });
});

const SCRAPE = 5; // seconds, as in the demo

// What the last hours stand for: the daemon of the pictures has run for some minutes.
const RECENT = 3 * 60e3;

// busy gives a daemon something to do, so that the pictures of its own figures show something.
// It does not wait for the end, which comes with the program's.
async function busy(address) {
  const now = Date.now();
  const send = (method, path, body) => fetch(address + path, { method, body: body && JSON.stringify(body), headers: body ? { 'Content-Type': 'application/json' } : {} });
  for (let i = 0; ; i++) {
    // Each pod's alert is told firing, told again, and resolved; then it fires anew.
    const pod = i % 8, turn = Math.floor(i / 8), told = turn % 3, began = now + Math.floor(turn / 3) * 100e3 - 3600e3;
    const labels = { alertname: 'PodCrashLooping', service: 'storefront', severity: 'warning', region: 'eu', pod: `storefront-${pod}` };
    const alert = { status: told < 2 ? 'firing' : 'resolved', labels, annotations: {}, startsAt: iso(began), endsAt: told < 2 ? '0001-01-01T00:00:00Z' : iso(began + 60e3), fingerprint: `feed${String(pod).padStart(12, '0')}` };
    await send('POST', '/webhook/alertmanager', { version: '4', status: alert.status, receiver: 'meantime', groupKey: `{}:{n="${pod}"}`, groupLabels: {}, commonLabels: labels, commonAnnotations: {}, externalURL: '', alerts: [alert], truncatedAlerts: 0 });
    if (i % 8 === 0) await send('GET', '/api/v1/incidents?limit=5');
    if (i % 12 === 0) await send('POST', '/webhook/alertmanager/events', { '@timestamp': iso(Date.now()), instance: 'am', data: { alertCreated: { alert: { startsAt: iso(now - 3600e3), labels: { labels: Object.entries(labels).map(([key, value]) => ({ key, value })) } } } } });
    if (i % 40 === 0) await send('GET', '/api/v1/incidents?limit=none');
    await sleep(250);
  }
}

// demo starts the demo: a Meantime with a year of incidents, and a Prometheus that has its past.
async function demo(meantime) {
  const [port, prometheusPort] = [await free(), await free()];
  const address = `http://127.0.0.1:${port}`, prometheus = `http://127.0.0.1:${prometheusPort}`;
  const program = path.join(work, 'demo');
  run(process.env.GO ?? 'go', ['build', '-o', program, './demo'], { cwd: root });
  await start('demo', program, [`--meantime=${meantime}`, `--listen=127.0.0.1:${port}`, `--prometheus.listen=127.0.0.1:${prometheusPort}`], `${address}/-/ready`);
  busy(address).catch(() => {});
  return { address, prometheus };
}

// nothing starts a Meantime without any incident, and its Prometheus.
async function nothing(meantime) {
  const folder = path.join(work, 'empty');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const [port, prometheusPort] = [await free(), await free()];
  const address = `http://127.0.0.1:${port}`, prometheus = `http://127.0.0.1:${prometheusPort}`;
  fs.writeFileSync(path.join(folder, 'meantime.yml'), `store: {dsn: "sqlite:${folder}/meantime.db"}\nsources: []\n`);
  fs.writeFileSync(path.join(folder, 'prometheus.yml'), `global: {scrape_interval: ${SCRAPE}s}
scrape_configs:
  - job_name: meantime
    static_configs: [{targets: ["127.0.0.1:${port}"]}]
`);
  await start('empty-prometheus', 'prometheus', [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/tsdb`, `--web.listen-address=127.0.0.1:${prometheusPort}`], `${prometheus}/-/ready`);
  await start('empty-meantime', meantime, [`--config.file=${folder}/meantime.yml`, 'serve', `--web.listen-address=127.0.0.1:${port}`], `${address}/-/ready`);
  return { address, prometheus };
}

// picture draws a dashboard and says what a person should know of how it came out.
async function picture(chromium, base, dashboard, theme, prometheus, days, out) {
  const d = JSON.parse(fs.readFileSync(path.join(root, 'dashboards', `${dashboard}.json`)));
  const height = 92 + 38 * Math.max(...d.panels.map((p) => p.gridPos.y + p.gridPos.h)) + 8;
  const to = Date.now(), from = d.time.from === 'now-6h' ? to - RECENT : to - days * DAY;
  const url = `${base}/index.html?${new URLSearchParams({ dashboard, theme, prometheus, from, to, scrape: SCRAPE, recent: RECENT })}`;
  const report = 'document.getElementById("report")';
  return JSON.parse(await shoot(chromium, url, 1600, height, `!!${report}`, `${report}.textContent`, out));
}

// drawPages takes pictures of the page of figures and of a letter, full and empty, as a reader sees them who wants it light or dark.
async function drawPages(chromium, pictures, full, empty) {
  const last = new Date();
  last.setUTCDate(0); // of the month before
  const month = last.toISOString().slice(0, 7);
  for (const [name, place] of [['figures', '/figures?window=28d'], ['letter', `/reports/${month}`]]) {
    for (const theme of ['light', 'dark']) {
      for (const [what, address, folder] of [['', full, pictures], ['-empty', empty, work]]) {
        const out = path.join(folder, `${name}-${theme}${what}.png`);
        await shoot(chromium, address + place, 1100, undefined, 'document.readyState === "complete"', '""', out, theme);
        shrink(out);
        console.log(`${path.relative(root, out)}: ${Math.round(fs.statSync(out).size / 1024)} KiB`);
      }
    }
  }
}

async function main() {
  const args = process.argv.slice(2);
  const chosen = args.filter((a) => !a.startsWith('--'));
  const dashboards = fs.readdirSync(path.join(root, 'dashboards')).filter((f) => f.endsWith('.json')).map((f) => f.slice(0, -5)).filter((d) => chosen.length === 0 || chosen.includes(d));
  fs.mkdirSync(work, { recursive: true });
  install();
  check(root, work);
  if (args.includes('--check')) return;

  await bundle();
  const meantime = path.join(work, 'meantime');
  run(process.env.GO ?? 'go', ['build', '-o', meantime, './cmd/meantime'], { cwd: root });
  console.log('Starting Meantime and Prometheus, once with a year of incidents and once empty');
  const server = await serve();
  const chromium = await browser(work);
  running.push(chromium.process);
  const base = `http://127.0.0.1:${server.address().port}`;
  const { address, prometheus: full } = await demo(meantime);
  const { address: emptyAddress, prometheus: empty } = await nothing(meantime);
  await sleep(RECENT);
  const pictures = path.join(root, 'docs/pictures');
  fs.mkdirSync(pictures, { recursive: true });
  let wrong = 0;
  for (const d of dashboards) {
    for (const theme of ['light', 'dark']) {
      for (const [what, prometheus, days, folder] of [['', full, 90, pictures], ['-empty', empty, 90, work], ...(theme === 'light' ? [['-year', full, 365, work]] : [])]) {
        const out = path.join(folder, `${d}-${theme}${what}.png`);
        const report = await picture(chromium, base, d, theme, prometheus, days, out);
        shrink(out);
        const errors = [...report.errors, ...report.panels.filter((p) => p.error).map((p) => `${p.title}: ${p.error}`)];
        wrong += errors.length;
        console.log(`${path.relative(root, out)}: ${report.panels.length} panels, ${Math.round(fs.statSync(out).size / 1024)} KiB`);
        for (const e of errors) console.log(`  ${e}`);
        if (!what && theme === 'light') {
          const bare = report.panels.filter((p) => !p.error && p.series.length === 0).map((p) => p.title);
          if (bare.length) console.log(`  without data: ${bare.join(', ')}`);
          const stand = report.panels.filter((p) => p.type === 'barchart').map((p) => p.title);
          if (stand.length) console.log(`  by a stand-in, as Grafana does not publish the panel: ${stand.join(', ')}`);
        }
      }
    }
  }
  if (chosen.length === 0 || chosen.includes('pages')) await drawPages(chromium, pictures, address, emptyAddress);
  server.close();
  if (wrong) throw new Error(`${wrong} panels failed`);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const p of running) p.kill('SIGTERM');
    process.exit(130);
  });
}

try {
  await main();
} catch (e) {
  console.error(e.message);
  process.exitCode = 1;
} finally {
  await Promise.all(running.filter((p) => p.exitCode === null && p.signalCode === null).map(stop));
}
for (const f of fs.readdirSync(work).filter((f) => f.startsWith('chromium-'))) fs.rmSync(path.join(work, f), { recursive: true, force: true });
process.exit(); // what still listens, esbuild among it, would keep the program
