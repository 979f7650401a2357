package app

import (
	"io"

	"meantime/correlate"
	"meantime/progress"
	"meantime/setup"
)

// Screen is where a command says what it does, with bars of what takes long where that is a terminal.
type Screen = progress.Screen

// NewScreen makes a screen of an output.
func NewScreen(out io.Writer) *Screen { return progress.NewScreen(out) }

// correlating says how far it is where everything is worked out.
func (a *App) correlating() func(why correlate.Why, done, total int64) {
	const share = "thousandths"
	reports := map[correlate.Why]progress.Report{
		correlate.Restarted: a.progress.Report(progress.Kind{What: "Reading what is known of incidents", Unit: share}),
		correlate.FirstTime: a.progress.Report(progress.Kind{
			What: "Working out incidents for the first time", Unit: share, Means: "Incidents are worked out for the first time, and figures come after that",
		}),
		correlate.OtherRules: a.progress.Report(progress.Kind{
			What: "Working out incidents by other rules", Unit: share, Means: otherRules,
		}),
	}
	return func(why correlate.Why, done, total int64) { reports[why](done, total) }
}

// pastRead is reading the past of a Prometheus.
func pastRead(name string) progress.Kind {
	return progress.Kind{What: "Reading the past of " + name, Unit: "hours", Means: "Figures lack a part of the past, which is still read from Prometheus"}
}

// otherRules is what is said where what is shown is not by the rules in force.
const otherRules = "Figures are still of the old rules"

// going is what goes on, for pages, API and shell. Where another replica works, only that it does is known.
func (a *App) going() []setup.Progress {
	var out []setup.Progress
	if a.term.Load() == nil && a.others.Load() {
		out = append(out, setup.Progress{What: "Another replica works by other rules", Means: otherRules})
	}
	for _, w := range a.progress.Going() {
		p := setup.Progress{What: w.What, Means: w.Means, Done: w.Done, Total: w.Total, Unit: w.Unit, Percent: w.Percent()}
		if w.Left > 0 {
			s := w.Left.Seconds()
			p.Left = &s
		}
		out = append(out, p)
	}
	return out
}
