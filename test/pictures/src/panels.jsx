// One panel of each kind, by Grafana's own component for it.
import React from 'react';
import { FieldType, VizOrientation, getDisplayValueAlignmentFactors, getFieldDisplayValues, getFieldDisplayName } from '@grafana/data';
import { BarGauge, BigValue, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';

function displayed({ panel, frames, theme, replace }, sparkline) {
  return getFieldDisplayValues({ fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: replace, theme, data: frames, sparkline, timeZone: 'utc' });
}

function Stat(props) {
  const { panel, width, height, theme } = props;
  const o = panel.options;
  return (
    <VizRepeater
      getValues={() => displayed(props, o.graphMode !== 'none')}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, alignmentFactors, count }) => (
        <BigValue value={value.display} count={count} sparkline={value.sparkline} colorMode={o.colorMode} graphMode={o.graphMode} justifyMode={o.justifyMode}
          textMode={o.textMode} alignmentFactors={alignmentFactors} text={o.text} width={width} height={height} theme={theme} disableWideLayout={!o.wideLayout} />
      )}
      width={width} height={height} source={props.frames} itemSpacing={3} renderCounter={0} autoGrid orientation={o.orientation}
    />
  );
}

function Bars(props) {
  const { panel, width, height, theme } = props;
  const o = panel.options;
  return (
    <VizRepeater
      getValues={() => displayed(props, false)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, orientation, alignmentFactors, count }) => (
        <BarGauge value={value.display} width={width} height={height} orientation={orientation} field={value.field} text={o.text} theme={theme}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)} itemSpacing={o.displayMode === 'lcd' ? 2 : 10} displayMode={o.displayMode}
          alignmentFactors={count > 1 ? alignmentFactors : undefined} showUnfilled={o.showUnfilled} valueDisplayMode={o.valueMode} namePlacement={o.namePlacement} />
      )}
      width={width} height={height} source={props.frames} itemSpacing={10} renderCounter={0} orientation={o.orientation}
      minVizWidth={o.minVizWidth} minVizHeight={o.minVizHeight} maxVizHeight={o.maxVizHeight}
    />
  );
}

// What the panel's own code does to frames before it draws them: a number that is none is a gap.
function drawable(frames) {
  return frames.filter((f) => f.fields.some((x) => x.type === FieldType.number)).map((f) => ({
    ...f,
    fields: f.fields.map((x) => (x.type === FieldType.number ? { ...x, values: x.values.map((v) => (Number.isFinite(v) ? v : null)) } : x)),
  }));
}

function Lines({ panel, frames, width, height, range }) {
  return <TimeSeries frames={drawable(frames)} width={width} height={height} timeRange={range} timeZone="utc" legend={panel.options.legend} options={panel.options} />;
}

function Rows({ panel, frames, width, height, theme }) {
  const o = panel.options;
  return <TableNG data={frames[0]} width={width} height={height} noHeader={!o.showHeader} sortBy={o.sortBy} cellHeight={o.cellHeight} fieldConfig={panel.fieldConfig} enableVirtualization={false} getActions={() => []} theme={theme} transparent={false} noValue={panel.fieldConfig.defaults.noValue} />;
}

// The bar chart is not published. What stands in for it has the panel's data, colours and order, and says so.
function Stacked({ panel, frames, width, height, theme }) {
  const [frame] = frames;
  const name = frame.fields.find((f) => getFieldDisplayName(f, frame, frames) === panel.options.xField);
  const parts = frame.fields.filter((f) => f.type === FieldType.number);
  const total = (i) => parts.reduce((sum, f) => sum + (f.values[i] ?? 0), 0);
  const most = Math.max(...name.values.map((_, i) => total(i)));
  const label = 150, bar = Math.min(34, (height - 60) / name.values.length - 6);
  const colour = (f) => f.display(1).color ?? theme.colors.text.primary;
  return (
    <div style={{ padding: 8, fontSize: 13 }}>
      <div style={{ height: height - 60 }}>
        {name.values.map((n, i) => (
          <div key={n} style={{ display: 'flex', marginBottom: 6, height: bar, lineHeight: `${bar}px` }}>
            <div style={{ width: label, textAlign: 'right', paddingRight: 8 }}>{n}</div>
            {parts.map((f) => {
              const w = ((width - label - 30) * (f.values[i] ?? 0)) / most;
              const d = f.display(f.values[i]);
              return <div key={f.name} style={{ width: w, background: colour(f), opacity: 0.85, color: '#000', textAlign: 'center', overflow: 'hidden', whiteSpace: 'nowrap' }}>{w > 60 ? d.text + (d.suffix ?? '') : ''}</div>;
            })}
          </div>
        ))}
      </div>
      <div style={{ display: 'flex', gap: 16 }}>
        {parts.map((f) => <span key={f.name}><span style={{ display: 'inline-block', width: 14, height: 4, marginRight: 6, verticalAlign: 'middle', background: colour(f) }} />{getFieldDisplayName(f, frame, frames)}</span>)}
        <i style={{ marginLeft: 'auto', color: theme.colors.text.secondary }}>a stand-in: Grafana does not publish its bar chart</i>
      </div>
    </div>
  );
}

export const KINDS = { stat: Stat, bargauge: Bars, timeseries: Lines, table: Rows, barchart: Stacked };

// names are the series or columns of frames, for the report of what was drawn.
export const names = (frames) => frames.flatMap((f) => f.fields.filter((x) => x.type !== FieldType.time).map((x) => getFieldDisplayName(x, f, frames)));
