package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"time"

	"meantime/config"
	"meantime/correlate"
	"meantime/incident"
	"meantime/measure"
	"meantime/progress"
	"meantime/store/sqlstore"
	"meantime/webhook"
)

// Replayed is what a replay did and what came of it, as of the moment of its last line.
type Replayed struct {
	At            time.Time           `json:"at"`
	Notifications int                 `json:"notifications"`
	Records       int                 `json:"records"`
	Incidents     []incident.Incident `json:"incidents"`
	Episodes      []incident.Verdict  `json:"episodes"`
}

// archived is one line of an archive.
type archived struct {
	at     time.Time
	place  string // file and line, for errors
	body   json.RawMessage
	source string
	record json.RawMessage
}

// Replay plays archives into the store as if each line were received at its `at`: `{"at","body"}` is a notification,
// `{"at","source","record"}` a record, one JSON object a line. The lines of all files are played in the order of `at`. A line
// that cannot be taken ends the replay before anything is stored.
func Replay(ctx context.Context, o Options, files []string) (out *Replayed, err error) {
	a := newApp(o)
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	var lines []archived
	for _, name := range files {
		more, err := readArchive(name)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	if len(lines) == 0 {
		return nil, errors.New("nothing to replay: the files have no lines")
	}
	slices.SortStableFunc(lines, func(x, y archived) int { return x.at.Compare(y.at) })

	out = &Replayed{At: lines[len(lines)-1].at, Incidents: []incident.Incident{}, Episodes: []incident.Verdict{}}
	clock := lines[0].at
	a.now = func() time.Time { return clock }
	facts, err := a.replayed(ctx, c, lines, out, &clock)
	if err != nil {
		return nil, err
	}
	// Who kept the archive listened from before its first line on; of what it says of an alert that had fired for long by
	// then it is not known whether it is the first word.
	facts[0].Lives = []incident.Life{{From: lines[0].at.Add(-incident.Prompt), To: out.At}}

	db, err := sqlstore.Open(ctx, string(c.Store.DSN), sqlstore.Options{Logger: a.logger, Now: a.now})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	token, end, err := leased(ctx, db, newReplica(string(c.Store.DSN)))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	storing := a.progress.Report(progress.Kind{What: "Storing what was received", Unit: "lines"})
	defer storing(0, 0)
	for i, f := range facts {
		storing(int64(i)*archiveBatch, int64(len(lines)))
		if _, err := db.Put(ctx, f, clock); err != nil {
			return nil, err
		}
	}
	storing(0, 0)
	a.pipeline = &pipeline{store: db, metrics: a.metrics, now: a.now, heard: func() map[string]time.Time { return nil }}
	if err := a.pipeline.configure(ctx, c); err != nil {
		return nil, err
	}
	runner := correlate.NewRunner(correlate.Options{Facts: db, Rules: c.Rules, Now: a.now, Logger: a.logger, Progress: a.correlating(), Deliver: func(ctx context.Context, d incident.Pass) error {
		return a.pipeline.deliver(ctx, token, d)
	}})
	if err := runner.CatchUp(ctx); err != nil {
		return nil, err
	}
	return out, a.collect(ctx, db, c, out)
}

// replayed turns lines into facts, by the same code that takes them in from outside.
func (a *App) replayed(ctx context.Context, c *config.Validated, lines []archived, out *Replayed, clock *time.Time) ([]incident.Facts, error) {
	archive := &archive{}
	hook := webhook.New(webhook.Options{
		Store: archive, Logger: a.logger, Now: a.now, MaxBody: c.Limits.BodyBytes, MaxAlerts: c.Limits.AlertsPerWebhook,
		Watchdogs: func(labels map[string]string) (string, bool) { return watchdogOf(c.Rules.Watchdogs, labels) },
		Intake:    func() incident.Intake { return intakeOf(c) },
	}).Alertmanager()
	reading := a.progress.Report(progress.Kind{What: "Reading what was received", Unit: "lines"})
	defer reading(0, 0)
	for i, l := range lines {
		reading(int64(i), int64(len(lines)))
		*clock = l.at
		if l.record != nil {
			r, err := incident.DecodeRecordAs(incident.RecordKey{Source: l.source}, l.record)
			if err == nil {
				err = r.CheckPast(l.at)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.place, err)
			}
			if r.UpdatedAt.IsZero() {
				r.UpdatedAt = l.at
			}
			archive.add(incident.Facts{Records: []incident.Record{r}})
			out.Records++
			continue
		}
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/webhook/alertmanager", bytes.NewReader(l.body)))
		if w.Code >= 300 {
			return nil, fmt.Errorf("%s: notification not taken: %s", l.place, bytes.TrimSpace(w.Body.Bytes()))
		}
		out.Notifications++
	}
	return archive.facts, nil
}

// collect reads back what came of it.
func (a *App) collect(ctx context.Context, db *sqlstore.Store, c *config.Validated, out *Replayed) error {
	for cursor := ""; ; {
		page, next, err := db.Incidents(ctx, incident.IncidentQuery{Cursor: cursor, Limit: 1000})
		if err != nil {
			return err
		}
		for i := range page {
			page[i].Measurements = measure.All(&page[i], c.Intervals, out.At)
			for k := range page[i].Links {
				page[i].Links[k].Episode.HideUnknownEnd()
			}
		}
		out.Incidents = append(out.Incidents, page...)
		if cursor = next; cursor == "" {
			break
		}
	}
	for cursor := ""; ; {
		page, next, err := db.Verdicts(ctx, incident.VerdictQuery{Cursor: cursor, Limit: 1000})
		if err != nil {
			return err
		}
		for i := range page {
			page[i].Episode.HideUnknownEnd()
		}
		out.Episodes = append(out.Episodes, page...)
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

// archiveBatch is how many lines are stored in one transaction.
const archiveBatch = 500

// archive collects what the webhook makes of a replay, to be stored in large pieces after all of it was read. Facts merge,
// so what is stored is the same as if each had been stored by itself.
type archive struct {
	facts []incident.Facts
	lines int
}

func (s *archive) add(f incident.Facts) {
	if s.lines%archiveBatch == 0 {
		s.facts = append(s.facts, incident.Facts{})
	}
	s.lines++
	last := &s.facts[len(s.facts)-1]
	last.Sightings = append(last.Sightings, f.Sightings...)
	last.Records = append(last.Records, f.Records...)
	last.Beats = append(last.Beats, f.Beats...)
	last.Silences = append(last.Silences, f.Silences...)
	last.Senders = append(last.Senders, f.Senders...)
}

func (s *archive) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	s.add(f)
	r := incident.Receipt{Sightings: make([]incident.MergeKind, len(f.Sightings)), Records: make([]bool, len(f.Records))}
	for i := range r.Sightings {
		r.Sightings[i] = incident.MergeNew
	}
	return r, nil
}

// readArchive reads the lines of a file.
func readArchive(name string) ([]archived, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read archive: %w", err)
	}
	defer f.Close()
	var lines []archived
	in := bufio.NewReader(f)
	for n := 1; ; n++ {
		raw, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read archive %s: %w", name, err)
		}
		if len(bytes.TrimSpace(raw)) > 0 {
			l, bad := readLine(raw)
			l.place = fmt.Sprintf("%s:%d", name, n)
			if bad != nil {
				return nil, fmt.Errorf("%s: %w", l.place, bad)
			}
			lines = append(lines, l)
		}
		if err != nil {
			return lines, nil
		}
	}
}

func readLine(raw []byte) (archived, error) {
	var l struct {
		At     string          `json:"at"`
		Body   json.RawMessage `json:"body"`
		Source string          `json:"source"`
		Record json.RawMessage `json:"record"`
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return archived{}, fmt.Errorf("not JSON: %w", err)
	}
	at, err := incident.ParseTime(l.At)
	switch {
	case err != nil:
		return archived{}, fmt.Errorf("at: %w", err)
	case (l.Body == nil) == (l.Record == nil):
		return archived{}, errors.New(`neither a notification nor a record; a line is {"at","body"} or {"at","source","record"}`)
	case l.Record != nil && l.Source == "":
		return archived{}, errors.New("source: missing; the name under which the record is kept")
	}
	return archived{at: at, body: l.Body, source: l.Source, record: l.Record}, nil
}
