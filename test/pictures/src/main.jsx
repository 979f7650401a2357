// The page of one dashboard: what Grafana's server would put around the panels, and the panels by Grafana's components.
// ?dashboard=name&theme=dark&prometheus=http://…&from=ms&to=ms&scrape=s&recent=ms&set=name:value
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { LoadingState, ThemeContext, createTheme, dateTime } from '@grafana/data';
import { GlobalStyles, PanelChrome, PanelContextProvider } from '@grafana/ui';
import { shaped } from './fields.js';
import { KINDS, names } from './panels.jsx';
import { query } from './prometheus.js';
import { replace, resolve } from './variables.js';

const ask = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: ask.get('theme') } });
const WIDTH = 1600, MARGIN = 8, ROW = 38, HEAD = 92;
const COLUMN = (WIDTH - 2 * 16) / 24;

const range = { from: +ask.get('from'), to: +ask.get('to'), scrape: +ask.get('scrape') || undefined };

// What was drawn, for the caller: the kinds that are not published, the errors, the panels without data.
const report = { panels: [], errors: [] };
window.addEventListener('error', (e) => report.errors.push(e.message));
let waiting = 0;

function done(panel, more) {
  report.panels.push({ title: panel.title, type: panel.type, ...more });
  if (--waiting === 0) {
    const out = document.createElement('script');
    out.type = 'application/json';
    out.id = 'report';
    out.textContent = JSON.stringify(report).replaceAll('<', '\\u003c');
    document.body.appendChild(out);
  }
}

// These draw noValue by themselves where there is nothing.
const ALWAYS = ['stat', 'bargauge'];

class Caught extends React.Component {
  state = {};
  static getDerivedStateFromError(error) { return { error }; }
  componentDidCatch(error) { report.errors.push(`${this.props.title}: ${error.message}`); }
  render() { return this.state.error ? <div style={{ color: 'red' }}>{String(this.state.error)}</div> : this.props.children; }
}

// A panel can have a time range of its own, such as the last 6 hours; a demonstration is not that old, so recent stands for it.
const rangeOf = (panel) => (panel.timeFrom ? { ...range, from: range.to - (+ask.get('recent') || parseFloat(panel.timeFrom) * 3600e3) } : range);
const timeRangeOf = (panel) => {
  const r = rangeOf(panel);
  return { from: dateTime(r.from), to: dateTime(r.to), raw: { from: dateTime(r.from), to: dateTime(r.to) } };
};

function Panel({ panel, variables }) {
  const [state, set] = useState();
  const text = (s, scoped) => replace(s, variables, Object.fromEntries(Object.entries(scoped ?? {}).map(([k, v]) => [k, v.value])));
  useEffect(() => {
    (async () => {
      try {
        const frames = (await Promise.all(panel.targets.filter((t) => !t.hide).map((t) => query(t, panel, variables, rangeOf(panel))))).flat();
        const out = await shaped(frames, panel, theme, text);
        set({ frames: out });
        done(panel, { series: names(out) });
      } catch (e) {
        set({ error: String(e) });
        done(panel, { error: String(e) });
      }
    })();
  }, []);
  const g = panel.gridPos, w = g.w * COLUMN - MARGIN, h = g.h * ROW - MARGIN;
  const Kind = KINDS[panel.type];
  return (
    <div style={{ position: 'absolute', left: 16 + g.x * COLUMN, top: HEAD + g.y * ROW }}>
      <PanelChrome title={text(panel.title)} description={panel.description} width={w} height={h} loadingState={state ? LoadingState.Done : LoadingState.Loading} statusMessage={state?.error}>
        {(width, height) => {
          if (!state || state.error) return <div>{state?.error}</div>;
          if (!Kind) return <div style={{ padding: 20 }}>{panel.type} is not published by Grafana</div>;
          if (!ALWAYS.includes(panel.type) && !state.frames.some((f) => f.fields.length > 0 && f.length > 0)) {
            return <div style={{ display: 'flex', height, alignItems: 'center', justifyContent: 'center', color: theme.colors.text.secondary }}>{panel.fieldConfig.defaults.noValue ?? 'No data'}</div>;
          }
          return <Caught title={panel.title}><Kind panel={panel} frames={state.frames} width={width} height={height} theme={theme} range={timeRangeOf(panel)} replace={text} /></Caught>;
        }}
      </PanelChrome>
    </div>
  );
}

function Row({ panel }) {
  return <div style={{ position: 'absolute', left: 16, top: HEAD + panel.gridPos.y * ROW + 4, fontSize: 16, fontWeight: 500, color: theme.colors.text.primary }}>⌄ {panel.title}</div>;
}

function Chosen({ variables }) {
  const box = { border: `1px solid ${theme.colors.border.medium}`, padding: '5px 8px', fontSize: 13 };
  return (
    <div style={{ position: 'absolute', left: 16, right: 16, top: 48, display: 'flex', gap: 8 }}>
      {Object.entries(variables).filter(([, v]) => v.hide !== 2).map(([name, v]) => (
        <div key={name} style={{ display: 'flex' }}>
          <div style={{ ...box, background: theme.colors.background.secondary }}>{v.label}</div>
          <div style={{ ...box, borderLeft: 'none' }}>{v.all ? 'All' : v.values.join(' + ')}</div>
        </div>
      ))}
      <div style={{ ...box, marginLeft: 'auto' }}>{[range.from, range.to].map((t) => new Date(t).toISOString().slice(0, 16).replace('T', ' ')).join(' – ')} UTC</div>
    </div>
  );
}

function Dashboard({ dashboard, variables }) {
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={{ eventsScope: 'pictures', eventBus: { publish() {}, getStream: () => ({ subscribe: () => ({ unsubscribe() {} }), pipe: () => ({ subscribe: () => ({ unsubscribe() {} }) }) }), subscribe: () => ({ unsubscribe() {} }), removeAllListeners() {}, newScopedBus() { return this; } } }}>
        <div style={{ position: 'absolute', left: 16, top: 12, fontSize: 20, fontWeight: 500 }}>{dashboard.title}</div>
        <Chosen variables={variables} />
        {dashboard.panels.map((p) => (p.type === 'row' ? <Row key={p.id} panel={p} /> : <Panel key={p.id} panel={p} variables={variables} />))}
      </PanelContextProvider>
    </ThemeContext.Provider>
  );
}

document.body.style.background = theme.colors.background.canvas;
const dashboard = await (await fetch(`dashboards/${ask.get('dashboard')}.json`)).json();
waiting = dashboard.panels.filter((p) => p.type !== 'row').length;
const variables = await resolve(dashboard, Object.fromEntries(ask.getAll('set').map((s) => s.split(/:(.*)/s).slice(0, 2))));
createRoot(document.getElementById('root')).render(<Dashboard dashboard={dashboard} variables={variables} />);
