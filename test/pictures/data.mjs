// A year of plausible incidents, alerts and watchdog beats, the same for every run: lines for `meantime replay`, and what
// Prometheus would have known of the alerts' conditions.

// random is mulberry32: small, and the same everywhere.
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const MINUTE = 60e3, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

// What goes wrong where: the alert that sees it, and what people call it.
const FAULTS = [
  ['checkout', 'CheckoutErrors', 'Checkout answers with errors'], ['checkout', 'CheckoutSlow', 'Checkout is slow'],
  ['payments', 'PaymentsDeclined', 'Card payments are declined'], ['payments', 'PaymentsQueueLong', 'Payments are taken late'],
  ['search', 'SearchErrors', 'Search finds nothing'], ['search', 'SearchIndexOld', 'Search shows old results'],
  ['sign-in', 'SignInErrors', 'Nobody can sign in'], ['sign-in', 'SignInSlow', 'Signing in takes long'],
  ['website', 'WebsiteDown', 'The website is down'], ['website', 'CertificateExpires', 'A certificate was not renewed'],
  ['mail', 'MailQueueLong', 'Mail is sent hours late'],
];
const NOISE = [['website', 'HighCPU'], ['search', 'DiskWillFill'], ['payments', 'PodRestarts'], ['checkout', 'LatencyBudgetBurn'], ['mail', 'MailQueueLong'], ['sign-in', 'HighCPU']];

// year makes a year up to an end (milliseconds): lines in any order, and conditions {labels, at, since}.
export function year(end, seed = 20260101) {
  const r = random(seed);
  const pick = (list) => list[Math.floor(r() * list.length)];
  const chance = (p) => r() < p;
  const normal = () => Math.sqrt(-2 * Math.log(1 - r())) * Math.cos(2 * Math.PI * r());
  const about = (median, spread) => median * Math.exp(spread * normal()); // log-normal, as such durations are
  const iso = (t) => new Date(Math.round(t / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  const lines = [], conditions = [];
  let n = 0;

  const notify = (at, alert, status) => lines.push({
    at: iso(at),
    body: {
      version: '4', status, receiver: 'meantime', groupKey: `{}:{alertname="${alert.labels.alertname}", service="${alert.labels.service}"}`, truncatedAlerts: 0,
      groupLabels: { alertname: alert.labels.alertname, service: alert.labels.service }, commonLabels: alert.labels, commonAnnotations: {}, externalURL: 'http://alertmanager.example.org',
      alerts: [{ status, labels: alert.labels, annotations: {}, startsAt: iso(alert.from), endsAt: status === 'resolved' ? iso(alert.to) : '0001-01-01T00:00:00Z', generatorURL: '', fingerprint: alert.fingerprint }],
    },
  });
  // episode is one firing of one alert, and the notifications of it.
  const episode = (labels, from, to) => {
    const alert = { labels, from, to, fingerprint: (0x1000000 + ++n).toString(16).padStart(16, '0') };
    const wait = about(40, 0.5) * 1e3;
    conditions.push({ labels, at: from, since: from - pick([1, 2, 2, 5]) * MINUTE });
    notify(from + wait, alert, 'firing');
    for (let t = from + 4 * HOUR; t < Math.min(to, end); t += 4 * HOUR) notify(t, alert, 'firing');
    if (to < end) notify(to + wait, alert, 'resolved');
    return { ...alert, told: from + wait };
  };

  for (let i = 0, t = end - 365 * DAY; t < end - 2 * HOUR; i++) {
    const better = 1 - 0.35 * (1 - (end - t) / (365 * DAY)); // the team got better over the year
    const [service, alertname, title] = pick(FAULTS);
    const severity = chance(0.35) ? 'critical' : chance(0.7) ? 'warning' : 'info';
    const started = t, byAlert = chance(0.45 + 0.35 * (1 - (end - t) / (365 * DAY)));
    const lasts = about((severity === 'critical' ? 55 : 110) * better, 0.9) * MINUTE;
    let detected = started + about(byAlert ? 5 : 28, 0.7) * MINUTE;
    const mitigated = Math.max(started + lasts, detected + 3 * MINUTE);
    const acknowledged = detected + Math.min(about(4 * better, 0.8) * MINUTE, (mitigated - detected) / 2);
    const resolved = mitigated + about(25, 1) * MINUTE;
    const late = !byAlert && chance(0.5);
    if (byAlert || late) {
      const alert = episode({ alertname, service, severity, cluster: 'main' }, byAlert ? detected : detected + about(12, 0.5) * MINUTE, Math.max(mitigated, detected + 40 * MINUTE));
      if (byAlert) detected = alert.told;
    }
    const open = resolved > end || mitigated > end;
    const who = byAlert ? 'alert' : pick(['customer', 'customer', 'staff', 'third_party']);
    const milestones = { started: { at: iso(started), precision: 'minute', evidence: 'the graph of failed requests' } };
    if (!byAlert) milestones.detected = { at: iso(detected), evidence: who === 'customer' ? 'first ticket at the help desk' : 'a message in the channel' };
    if (chance(0.9) && acknowledged < end) milestones.acknowledged = iso(acknowledged);
    if (chance(0.7) && mitigated < end) milestones.mitigated = iso(mitigated);
    if (!open && chance(0.92)) milestones.resolved = iso(resolved);
    if (chance(0.06)) delete milestones.started;
    const id = `INC-${String(1001 + i)}`;
    const services = service === 'payments' && chance(0.5) ? ['payments', 'checkout'] : [service];
    const record = { id, title, url: `https://incidents.example.org/${id}`, services, severity, kind: chance(0.03) ? 'drill' : 'incident', state: open ? 'open' : 'resolved', detected_by: who, milestones };
    lines.push({ at: iso(Math.min(Math.max(resolved, detected) + about(3, 1) * HOUR, end - MINUTE)), source: 'incidents', record });
    if (chance(0.05)) {
      const corrected = structuredClone(record);
      corrected.milestones.started = { at: iso(started - about(10, 0.5) * MINUTE), evidence: 'found in the review' };
      lines.push({ at: iso(Math.min(resolved + 3 * DAY, end - MINUTE)), source: 'incidents', record: corrected });
    }
    t += -Math.log(1 - r()) * 2.6 * DAY;
  }

  for (let t = end - 365 * DAY; t < end - HOUR; t += -Math.log(1 - r()) * 14 * HOUR) {
    const [service, alertname] = pick(NOISE);
    episode({ alertname, service, severity: chance(0.15) ? 'warning' : 'info', cluster: 'main' }, t, Math.min(t + about(12, 0.8) * MINUTE, end - 2 * MINUTE));
  }

  // One alert comes and goes all of the last day.
  for (let t = end - 22 * HOUR; t < end - HOUR; t += about(50, 0.3) * MINUTE) {
    episode({ alertname: 'ReplicaLag', service: 'search', severity: 'info', cluster: 'main' }, t, t + about(6, 0.4) * MINUTE);
  }

  // The watchdog of the last weeks, silent for an afternoon three weeks ago.
  const watchdog = { labels: { alertname: 'Watchdog', severity: 'none' }, from: end - 30 * DAY, to: end + DAY, fingerprint: 'ffffffffffffffff' };
  for (let t = end - 30 * DAY; t < end; t += 4 * MINUTE) {
    if (t < end - 21 * DAY || t > end - 21 * DAY + 3.5 * HOUR) notify(t, watchdog, 'firing');
  }
  return { lines, conditions };
}
