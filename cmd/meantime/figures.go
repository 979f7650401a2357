package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"meantime/app"
)

// figure holds the flags of the commands that read figures. They read the store beside a daemon that may be running on it, or
// ask the daemon.
type figure struct {
	app.Question
	format string
	url    string
}

func (f *figure) flags(c *kingpin.CmdClause, formats ...string) *figure {
	c.Flag("window", "The window, back from --to: the name of a configured one or any duration, such as 28d.").StringVar(&f.Window)
	c.Flag("from", "The beginning, such as 2026-01-01T00:00:00Z, instead of a window.").StringVar(&f.From)
	c.Flag("to", "The end, such as 2026-01-31T00:00:00Z; now where it is not given.").StringVar(&f.To)
	c.Flag("month", "A calendar month, such as 2026-11, instead of a window.").StringVar(&f.Month)
	c.Flag("zone", "Whose month, such as Europe/Berlin; UTC where it is not given.").StringVar(&f.Zone)
	c.Flag("service", "Only incidents that affected this service.").StringVar(&f.Service)
	c.Flag("severity", "Only incidents of this severity.").StringVar(&f.Severity)
	c.Flag("label", "Only incidents with this label, such as team=payments, one of figures.by.").StringVar(&f.Label)
	formats = append([]string{"markdown", "json"}, formats...)
	c.Flag("format",
		strings.Join(formats[:len(formats)-1], ", ")+" or "+formats[len(formats)-1]+".").Default("markdown").EnumVar(&f.format, formats...)
	return f
}

func (f *figure) one(c *kingpin.CmdClause) *figure {
	c.Flag("interval", "The interval, such as detect or resolve.").Default("resolve").StringVar(&f.Interval)
	return f
}

func (f *figure) remote(c *kingpin.CmdClause) *figure {
	c.Flag("url", "Ask the Meantime at this address, such as http://127.0.0.1:10049, instead of reading its store.").StringVar(&f.url)
	return f
}

func (f *figure) print(w io.Writer, v interface{ Markdown(io.Writer) error }) error {
	if f.format == "markdown" {
		return v.Markdown(w)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// askTimeout is how long a Meantime may take to answer.
const askTimeout = 2 * time.Minute

// ask prints what the Meantime at the address answers.
func (f *figure) ask(ctx context.Context, w io.Writer, path, form string) error {
	v := url.Values{"format": {form}}
	for name, value := range map[string]string{
		"window": f.Window, "from": f.From, "to": f.To, "month": f.Month, "zone": f.Zone,
		"service": f.Service, "severity": f.Severity, "interval": f.Interval, "by": f.By, "label": f.Label,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(f.url, "/")+path+"?"+v.Encode(), nil)
	if x := new(url.Error); errors.As(err, &x) {
		err = x.Err // without the address, which may hold a password
	}
	if err != nil {
		return fmt.Errorf("url: %w", err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask Meantime: %w", err) // url.Error leaves a password out
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p struct{ Detail string }
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what it says is told, whatever it is
		if json.Unmarshal(body, &p) == nil && p.Detail != "" {
			return fmt.Errorf("%s", p.Detail)
		}
		return fmt.Errorf("%s answers %s; is it a Meantime?", r.URL.Redacted(), resp.Status)
	}
	_, err = io.Copy(w, resp.Body)
	return err
}

func reportCommand(a *kingpin.Application) command {
	c := a.Command("report", "The figures of a period and how they compare with the period before.")
	f := new(figure).flags(c, "csv").remote(c)
	c.Flag("by", "Further figures by service, by severity, or by both: service,severity; and by labels that figures.by names.").StringVar(&f.By)
	var asLetter bool
	c.Flag("letter", "The month as a letter: figures and what they were, the longest incidents, what no alert caught, noise, what is not known.").
		BoolVar(&asLetter)
	return command{c, func(ctx context.Context, p *program) error {
		if asLetter {
			return f.letter(ctx, p)
		}
		if f.url != "" {
			if f.format == "csv" {
				return f.ask(ctx, p.stdout, "/api/v1/figures", "csv")
			}
			return f.ask(ctx, p.stdout, "/api/v1/report", f.format)
		}
		r, err := app.Report(ctx, p.options(), f.Question)
		switch {
		case err != nil:
			return err
		case f.format == "csv":
			return r.Answer().CSV(p.stdout)
		}
		return f.print(p.stdout, r)
	}}
}

// letter prints the month as a letter.
func (f *figure) letter(ctx context.Context, p *program) error {
	switch {
	case f.Month == "":
		return fmt.Errorf("--letter: of which month? Add --month=2026-11, or a week, --month=2026-W48")
	case f.format == "csv" || f.By != "" || f.Window+f.From+f.To != "":
		return fmt.Errorf("--letter: it is of a month, as markdown or json, without --by, --window, --from and --to")
	}
	period, q := f.Month, f.Question
	q.Month = ""
	form := "text"
	if f.format == "json" {
		form = "json"
	}
	if f.url != "" {
		g := figure{url: f.url, Question: q}
		return g.ask(ctx, p.stdout, "/reports/"+url.PathEscape(period), form)
	}
	l, err := app.Letter(ctx, p.options(), period, q)
	if err != nil {
		return err
	}
	body, _, err := l.Body(form)
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(body)
	return err
}

func explainCommand(a *kingpin.Application) command {
	c := a.Command("explain", "One figure: the incidents in it, both times of each, and who was left out and why.")
	f := new(figure).flags(c).one(c).remote(c)
	return command{c, func(ctx context.Context, p *program) error {
		if f.url != "" {
			return f.ask(ctx, p.stdout, "/api/v1/explain", f.format)
		}
		e, err := app.Explain(ctx, p.options(), f.Question)
		if err != nil {
			return err
		}
		return f.print(p.stdout, e)
	}}
}

func simulateCommand(a *kingpin.Application) command {
	c := a.Command("simulate", "How large a change a figure could show at all, on your own incidents.")
	f := new(figure).flags(c).one(c)
	var n int
	var change float64
	c.Flag("incidents", "How many incidents there are in each group to compare; as many as the period has where it is 0.").IntVar(&n)
	c.Flag("change", "The true change to look for, as a share.").Default("0.1").Float64Var(&change)
	return command{c, func(ctx context.Context, p *program) error {
		sim, err := app.Simulate(ctx, p.options(), f.Question, n, change)
		if err != nil {
			return err
		}
		return f.print(p.stdout, sim)
	}}
}
