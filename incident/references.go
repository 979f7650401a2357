package incident

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// References are what a record says about the alerts and records that belong to it. Alerts and Groups say it exactly
// (see States); the others are evidence that is weighed.
type References struct {
	Fingerprints []string `json:"fingerprints,omitempty"`
	GroupKeys    []string `json:"group_keys,omitempty"`
	URLs         []string `json:"urls,omitempty"`
	// Keys name other records, as `source/id`.
	Keys []string `json:"keys,omitempty"`
	// Alerts are the very alerts that were this incident's: fingerprint and start.
	Alerts []EpisodeKey `json:"alerts,omitempty"`
	// Groups are the groups of alerts, as Alertmanager told them to a pager, that were this incident's.
	Groups []GroupRef `json:"groups,omitempty"`
}

// GroupRef names a group of alerts for a stretch of time: a group's key lives for ever, one page of it does not. One of
// Key, SHA256 and MD5 is set.
type GroupRef struct {
	// Key is the group key itself, such as `{}/{severity="page"}:{alertname="CheckoutErrors"}`.
	Key string `json:"key,omitempty"`
	// SHA256 and MD5 are the key's hash in lower-case hexadecimal digits: what Alertmanager gives to pagers in its place.
	SHA256 string `json:"sha256,omitempty"`
	MD5    string `json:"md5,omitempty"`
	// From and To are when the pager's alert was made and when it ended. A zero To means that it goes on.
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
}

// groupSlack is how far a pager's alert may lie beside the episodes that it was about: pages are sent after an alert
// fires, and a pager's clock is another one.
const groupSlack = 2 * time.Minute

// Empty says whether nothing is referred to.
func (r *References) Empty() bool {
	return len(r.Fingerprints)+len(r.GroupKeys)+len(r.URLs)+len(r.Keys)+len(r.Alerts)+len(r.Groups) == 0
}

// States says whether the references name this very episode, whatever else times and services say: an alert of its
// fingerprint that starts within ReplicaSkew of one of its starts, or a group it came in, by key or hash, at a time that
// overlaps it. The text says which of both, for evidence.
func (r *References) States(e *Episode) (string, bool) {
	for i := range r.Alerts {
		if a := &r.Alerts[i]; a.Fingerprint == e.Fingerprint && e.startsNear(a.StartsAt) {
			return "by fingerprint and start", true
		}
	}
	for i := range r.Groups {
		if g := &r.Groups[i]; g.overlaps(e) && slices.ContainsFunc(e.GroupKeys, g.names) {
			return "by the key of its group", true
		}
	}
	return "", false
}

func (e *Episode) startsNear(t time.Time) bool {
	near := func(s time.Time) bool { return s.Sub(t).Abs() < ReplicaSkew }
	return near(e.StartsAt) || slices.ContainsFunc(e.Starts, near)
}

// overlaps says whether the time of the group touches the episode, with slack on both sides.
func (g *GroupRef) overlaps(e *Episode) bool {
	if !g.To.IsZero() && e.StartsAt.After(g.To.Add(groupSlack)) {
		return false
	}
	return e.EndsAt.IsZero() || !e.EndsAt.Before(g.From.Add(-groupSlack))
}

// names says whether the group is the one of a key. The event recorder tells some groups by their hash alone, which then
// stands in the key's place.
func (g *GroupRef) names(key string) bool {
	switch {
	case g.Key != "":
		return g.Key == key || GroupHash(g.Key) == key
	case g.SHA256 != "":
		return g.SHA256 == key || g.SHA256 == GroupHash(key)
	case g.MD5 != "":
		h := md5.Sum([]byte(key))
		return g.MD5 == hex.EncodeToString(h[:])
	}
	return false
}

// GroupHash is what Alertmanager gives to pagers in place of a group's key: its SHA-256 in lower-case hexadecimal digits
// (alertmanager/notify Key.Hash).
func GroupHash(key string) string {
	h := sha256.Sum256([]byte(key))
	return hex.EncodeToString(h[:])
}

// AddKey files the key that a vendor keeps with an alert of its own from source where it belongs: 64 hexadecimal digits
// are the SHA-256 of a group key, 32 its MD5, `{…}:{…}` is a group key, and anything else names a record of source. From
// and to are the creation and end of the vendor's alert; a zero to means that it goes on.
func (r *References) AddKey(source, key string, from, to time.Time) {
	key = strings.TrimSpace(key)
	g := GroupRef{From: from.UTC(), To: to.UTC()}
	switch {
	case key == "":
		return
	case isHex(key, 64):
		g.SHA256 = strings.ToLower(key)
	case isHex(key, 32):
		g.MD5 = strings.ToLower(key)
	case strings.HasPrefix(key, "{") && strings.Contains(key, "}:{") && strings.HasSuffix(key, "}"):
		g.Key = key
	default:
		if k := source + "/" + key; !slices.Contains(r.Keys, k) {
			r.Keys = append(r.Keys, k)
		}
		return
	}
	if !from.IsZero() && !slices.Contains(r.Groups, g) {
		r.Groups = append(r.Groups, g)
	}
}

func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// normalize brings times to UTC and hashes to lower case, in copies of its own.
func (r *References) normalize() {
	r.Alerts, r.Groups = slices.Clone(r.Alerts), slices.Clone(r.Groups)
	for i := range r.Alerts {
		r.Alerts[i].StartsAt = r.Alerts[i].StartsAt.UTC()
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		g.From, g.To = g.From.UTC(), g.To.UTC()
		g.SHA256, g.MD5 = strings.ToLower(g.SHA256), strings.ToLower(g.MD5)
	}
}

// validate tells bad everything wrong with the references; text and year check one string and one time.
func (r *References) validate(
	bad func(path, format string, args ...any), text func(path, s string, limit int), year func(path string, t time.Time),
) {
	lists := map[string][]string{"fingerprints": r.Fingerprints, "group_keys": r.GroupKeys, "urls": r.URLs, "keys": r.Keys}
	for name, l := range sorted(lists) {
		if len(l) > maxList {
			bad("references."+name, "%d are more than the %d allowed", len(l), maxList)
		}
		for i, s := range l {
			text(fmt.Sprintf("references.%s[%d]", name, i), s, maxText)
		}
	}
	if len(r.Alerts) > maxList {
		bad("references.alerts", "%d are more than the %d allowed", len(r.Alerts), maxList)
	}
	for i, a := range r.Alerts {
		path := fmt.Sprintf("references.alerts[%d]", i)
		if !isHex(a.Fingerprint, 16) {
			bad(path+".fingerprint", "%q is not 16 hexadecimal digits", cut(a.Fingerprint))
		}
		if a.StartsAt.IsZero() {
			bad(path+".starts_at", "missing; where only the fingerprint is known, it belongs into references.fingerprints")
		}
		year(path+".starts_at", a.StartsAt)
	}
	if len(r.Groups) > maxList {
		bad("references.groups", "%d are more than the %d allowed", len(r.Groups), maxList)
	}
	for i := range r.Groups {
		r.Groups[i].validate(fmt.Sprintf("references.groups[%d]", i), bad, text, year)
	}
}

func (g *GroupRef) validate(
	path string,
	bad func(path, format string, args ...any), text func(path, s string, limit int), year func(path string, t time.Time),
) {
	named := 0
	for _, s := range []string{g.Key, g.SHA256, g.MD5} {
		if s != "" {
			named++
		}
	}
	if named != 1 {
		bad(path, "it must have exactly one of key, sha256 and md5")
	}
	text(path+".key", g.Key, maxText)
	if g.SHA256 != "" && !isHex(g.SHA256, 64) {
		bad(path+".sha256", "%q is not 64 hexadecimal digits", cut(g.SHA256))
	}
	if g.MD5 != "" && !isHex(g.MD5, 32) {
		bad(path+".md5", "%q is not 32 hexadecimal digits", cut(g.MD5))
	}
	switch {
	case g.From.IsZero():
		bad(path+".from", "missing; a group's key lives for ever, so it means nothing without a time")
	case !g.To.IsZero() && g.To.Before(g.From):
		bad(path+".to", "%s is before from %s", g.To.UTC().Format(time.RFC3339), g.From.UTC().Format(time.RFC3339))
	}
	year(path+".from", g.From)
	year(path+".to", g.To)
}

// referencesWire is the JSON form, with times that are read by hand as those of a record are.
type referencesWire struct {
	Fingerprints []string `json:"fingerprints"`
	GroupKeys    []string `json:"group_keys"`
	URLs         []string `json:"urls"`
	Keys         []string `json:"keys"`
	Alerts       []struct {
		Fingerprint string          `json:"fingerprint"`
		StartsAt    json.RawMessage `json:"starts_at"`
	} `json:"alerts"`
	Groups []struct {
		Key    string          `json:"key"`
		SHA256 string          `json:"sha256"`
		MD5    string          `json:"md5"`
		From   json.RawMessage `json:"from"`
		To     json.RawMessage `json:"to"`
	} `json:"groups"`
}

// read gives the references; at reads one time and tells what is wrong with it.
func (w *referencesWire) read(at func(path string, raw json.RawMessage) time.Time) References {
	r := References{Fingerprints: w.Fingerprints, GroupKeys: w.GroupKeys, URLs: w.URLs, Keys: w.Keys}
	for i, a := range w.Alerts {
		r.Alerts = append(r.Alerts, EpisodeKey{a.Fingerprint, at(fmt.Sprintf("references.alerts[%d].starts_at", i), a.StartsAt)})
	}
	for i, g := range w.Groups {
		path := fmt.Sprintf("references.groups[%d]", i)
		r.Groups = append(r.Groups, GroupRef{g.Key, g.SHA256, g.MD5, at(path+".from", g.From), at(path+".to", g.To)})
	}
	return r
}
