package incident

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What counts as having listened.
const (
	// Prompt is how soon after the firing of an alert the first word of it is taken for its first notification although
	// nothing was ever heard of its sender before. It is longer than usual group_wait and group_interval.
	Prompt = 15 * time.Minute
	// RestartGap is the longest time without a sign of life that counts as lived through. Alertmanager tries again for
	// much longer than that, so what it had to say then comes late by little and is not lost.
	RestartGap = 30 * time.Second
)

// Bounds of what is kept.
const (
	// maxLives is how many times of life are kept; the oldest are forgotten first. So many mean that many outages.
	maxLives = 10_000
	// MaxSenders is how many senders are kept; those heard of last are forgotten, and so nobody can drive out the others.
	MaxSenders = 2_000
)

// Life is a stretch of time in which Meantime could be told of alerts, its ends included. A sign of life is one whose
// From is its To.
type Life struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// JoinLives are lives in order, those joined that overlap or lie no further apart than RestartGap. It does not matter in
// what order or how often they come, nor whether some were joined before.
func JoinLives(lives []Life) []Life {
	l := slices.Clone(lives)
	slices.SortFunc(l, func(a, b Life) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	var out []Life
	for _, x := range l {
		if n := len(out); n > 0 && x.From.Sub(out[n-1].To) <= RestartGap {
			out[n-1].To = Latest(out[n-1].To, x.To)
			continue
		}
		out = append(out, x)
	}
	return out[max(0, len(out)-maxLives):]
}

// Sender is a route of one Alertmanager to here, with when the first word ever came by it. Two of one key merge to the
// earlier First.
type Sender struct {
	Key string `json:"key"`
	URL string `json:"url,omitempty"` // Alertmanager's external URL; empty where it told none
	// Route is the route's path in Alertmanager's configuration, as group keys begin with it; or a receiver, see NewReceiver.
	Route string    `json:"route,omitempty"`
	First time.Time `json:"first"`
}

// MaxSenderText bounds, in bytes, what is kept of a URL or a route for people to read.
const MaxSenderText = 512

// NewSender is the sender of a notification by the address of its Alertmanager and its group key. A route that is added to
// a configuration is another sender: what fired before cannot have come by it.
func NewSender(url, groupKey string, received time.Time) Sender {
	return newSender(url, routeOf(groupKey), received)
}

func newSender(url, route string, received time.Time) Sender {
	h := fnv.New64a()
	for _, part := range []string{url, "\xff", route} {
		_, _ = h.Write([]byte(part)) // never fails
	}
	return Sender{
		Key:   fmt.Sprintf("%016x", h.Sum64()),
		URL:   PlainText(url, MaxSenderText),
		Route: PlainText(route, MaxSenderText),
		First: received,
	}
}

// receiver is what the Route of a receiver begins with; a route's path begins with its matchers.
const receiver = "receiver "

// NewReceiver is a receiver of an Alertmanager that sent a notification here. It is kept as a sender beside the route's: its
// name outlives every edit of the routes that lead to it.
func NewReceiver(url, name string, received time.Time) Sender {
	return newSender(url, receiver+name, received)
}

// Receiver is the receiver's name; empty where the sender is a route.
func (s *Sender) Receiver() string {
	name, _ := strings.CutPrefix(s.Route, receiver)
	if name == s.Route {
		return ""
	}
	return name
}

// routeOf is the part of a group key that names the route: `{}/{team="a"}` of `{}/{team="a"}:{alertname="b"}`. What
// follows are the labels of the group.
func routeOf(groupKey string) string {
	quoted, depth := false, 0
	for i := 0; i < len(groupKey); i++ {
		switch c := groupKey[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == ':' && depth == 0:
			return groupKey[:i]
		}
	}
	return groupKey
}

// WordKind says what is known of a word beyond its time.
type WordKind string

const (
	WordPlain  WordKind = ""       // a notification
	WordFirst  WordKind = "first"  // a notification that says it is the first of its group
	WordRepeat WordKind = "repeat" // a notification that says that nothing in it is new
)

// Word is the first that was told of a firing alert: when, by whom, and what it says of itself.
type Word struct {
	At   time.Time `json:"at"`
	By   string    `json:"by,omitempty"` // the Sender's key; empty where it is not known
	Kind WordKind  `json:"kind,omitempty"`
}

// Prompt says whether a word came so soon after the firing of its alert that it is taken for the first.
func (w Word) Prompt(fired time.Time) bool { return w.At.Sub(fired) <= Prompt }

// earlierWord is the earlier of two words, none being none. Of two at one time it is the same whichever comes first.
func earlierWord(a, b Word) Word {
	switch {
	case a.At.IsZero():
		return b
	case b.At.IsZero():
		return a
	}
	if cmp.Or(a.At.Compare(b.At), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.By, b.By)) <= 0 {
		return a
	}
	return b
}

func (w Word) equal(o Word) bool { return w.At.Equal(o.At) && w.By == o.By && w.Kind == o.Kind }

// Reach says who could tell Meantime of an alert, and when. It decides for every way on which word of an alert comes
// (notifications, the event recorder, Alertmanager's list) whether that word says when somebody was first told. The zero
// Reach is that of facts without any times of life: nothing speaks against any word then.
type Reach struct {
	lives   []Life // joined
	senders map[string]Sender
}

// NewReach is the reach that lives and senders tell of.
func NewReach(lives []Life, senders []Sender) *Reach {
	r := &Reach{lives: JoinLives(lives), senders: map[string]Sender{}}
	for _, s := range senders {
		if old, ok := r.senders[s.Key]; !ok || s.First.Before(old.First) {
			r.senders[s.Key] = s
		}
	}
	return r
}

// Judge sets when somebody was first told of an episode, or why that is not known. It is known only where Meantime was
// running from when the alert fired until the first word of it came, and this word's sender could reach it when the alert
// fired: its first word ever came before, or the word came within Prompt of the firing, or it says itself that it is the
// first. An end never tells when the first word went out.
//
// The answer depends only on the episode and on what the Reach was made of.
func (r *Reach) Judge(e *Episode) {
	e.NotifiedAt, e.NotifiedUnknown = time.Time{}, ""
	e.Unheard = false
	if why := r.whyNot(e); why != "" {
		e.NotifiedUnknown = why
		// Somebody was told of it, and it is not known when.
		e.Unheard = !e.Told.Word.At.IsZero() || e.endTold()
		return
	}
	e.NotifiedAt = e.Told.Word.At
}

// endTold says whether somebody told that it ended, and so had told that it fired.
func (e *Episode) endTold() bool { return !e.Told.End.IsZero() || e.End == EndResolved }

func (r *Reach) whyNot(e *Episode) string {
	w := e.Told.Word
	switch {
	case w.At.IsZero() && e.endTold():
		return "only its end was told"
	case w.At.IsZero():
		return "no notification of it came"
	case !e.Told.End.IsZero() && e.Told.End.Before(w.At):
		return "its end was told before any word of its firing"
	case w.Kind == WordRepeat:
		return "the first notification that came only repeats an earlier one"
	}
	if why := r.hole(e.StartsAt, w.At); why != "" {
		return why
	}
	if !w.Prompt(e.StartsAt) && w.Kind != WordFirst && !r.knew(e) {
		return fmt.Sprintf("the first word ever of %s came %s after it had fired", r.named(e), rough(w.At.Sub(e.StartsAt)))
	}
	return ""
}

// hole says in words how Meantime did not run from a moment to another; empty where it did.
func (r *Reach) hole(from, to time.Time) string {
	if len(r.lives) == 0 || from.After(to) {
		return ""
	}
	i, _ := slices.BinarySearchFunc(r.lives, from, func(l Life, t time.Time) int {
		if l.From.After(t) {
			return 1
		}
		return -1
	})
	if i == 0 {
		return fmt.Sprintf("it had fired %s before Meantime began to listen", rough(r.lives[0].From.Sub(from)))
	}
	if to.Sub(r.lives[i-1].To) <= RestartGap {
		return ""
	}
	down := fmt.Sprintf("Meantime was not running from %s", stamp(r.lives[i-1].To))
	if i < len(r.lives) && r.lives[i].From.Before(to) {
		down += " to " + stamp(r.lives[i].From)
	}
	if from.After(r.lives[i-1].To) {
		return down + ", when it fired"
	}
	return down + ", after it had fired and before the first word of it came"
}

// knew says whether the sender of an episode's first word had been heard of when it fired.
func (r *Reach) knew(e *Episode) bool {
	if len(r.senders) == 0 {
		return true
	}
	if e.Told.Word.By != "" {
		s, ok := r.senders[e.Told.Word.By]
		return ok && !s.First.After(e.StartsAt)
	}
	// Before senders were kept, addresses stand for them.
	return slices.ContainsFunc(e.Told.Alertmanagers, func(url string) bool {
		s, ok := r.senders[url]
		return ok && !s.First.After(e.StartsAt)
	})
}

func (r *Reach) named(e *Episode) string {
	s, ok := r.senders[e.Told.Word.By]
	switch {
	case ok && s.URL != "" && s.Route != "":
		return fmt.Sprintf("%s by the route %s", s.URL, s.Route)
	case ok && s.URL != "":
		return s.URL
	case len(e.Told.Alertmanagers) > 0:
		return e.Told.Alertmanagers[0]
	}
	return "its sender"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// rough is a duration to about two digits.
func rough(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return strconv.Itoa(int(d.Round(24*time.Hour)/(24*time.Hour))) + " days"
	case d >= 2*time.Hour:
		return strconv.Itoa(int(d.Round(time.Hour)/time.Hour)) + " h"
	case d >= 2*time.Minute:
		return strconv.Itoa(int(d.Round(time.Minute)/time.Minute)) + " min"
	}
	return strconv.Itoa(int(d.Round(time.Second)/time.Second)) + " s"
}
