package milestones

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
)

// Services are the services that a document may name: by each of its names, the service.
type Services struct {
	byName  map[string]knownName // in lower case
	longest int                  // of the names, in words
}

type knownName struct {
	name, service string
	plain         bool // one word without digits: also an ordinary word
}

// NewServices knows services by their names. Of two that differ only in case the first in order of bytes counts.
func NewServices(names map[string]string) *Services {
	s := &Services{byName: map[string]knownName{}}
	for name := range names {
		words := wordsIn(name)
		if len(words) == 0 || words[0][0] != 0 || words[len(words)-1][1] != len(name) {
			continue
		}
		k := knownName{name, names[name], len(words) == 1 && !strings.ContainsFunc(name, unicode.IsDigit)}
		if old, ok := s.byName[strings.ToLower(name)]; !ok || name < old.name {
			s.byName[strings.ToLower(name)] = k
		}
		s.longest = max(s.longest, len(words))
	}
	return s
}

// ordinary are words that say what sort of thing a service is, or stand before "service" in any text: a service that is called
// so is not found by its name.
var ordinary = map[string]bool{
	"web": true, "api": true, "app": true, "application": true, "service": true, "services": true, "server": true, "site": true,
	"website": true, "data": true, "database": true, "db": true, "backend": true, "frontend": true, "cloud": true, "customer": true,
	"support": true, "internal": true, "external": true, "public": true, "core": true, "main": true, "test": true, "self": true,
	"full": true, "normal": true, "managed": true, "shared": true, "new": true, "old": true, "all": true, "any": true, "no": true,
	"the": true, "this": true, "that": true, "our": true, "your": true, "their": true, "its": true, "each": true, "every": true, "of": true,
	"in": true, "to": true, "and": true, "or": true, "for": true, "back": true, "production": true,
}

// spared are words by which a sentence says of a service that it was not affected.
var spared = []string{"unaffected", "unimpacted", "except", "unlike", "besides", "instead"}

// services are those that the title names, and the paragraphs, items and rows below a heading of the impact.
func (r *Reader) services(title string) (out []string) {
	if r.Known == nil || len(r.Known.byName) == 0 {
		return nil
	}
	add := func(b *document.Block, sentences bool) {
		for _, m := range r.Known.in(b.Text) {
			if len(out) < 20 && !slices.Contains(out, m.service) && !(sentences && r.sparedAt(b, m.from)) {
				out = append(out, m.service)
			}
		}
	}
	add(&document.Block{Text: title}, false)
	for i := range r.Outline.Document.Blocks {
		b := &r.Outline.Document.Blocks[i]
		text := b.Kind == document.Para || b.Kind == document.Item || b.Kind == document.Row
		if text && r.Outline.Sections[i].Name == "impact" && r.inGroup(i) && !r.splitByTime() {
			add(b, true)
		}
	}
	return out
}

// sparedAt says whether the sentence at a byte of a block denies something, or tells of what was spared.
func (r *Reader) sparedAt(b *document.Block, at int) bool {
	toks := b.Tokens()
	lo, hi := 0, len(toks)
	for i, t := range toks {
		if t.Stop && t.End <= at {
			lo = i + 1
		} else if t.Stop && t.Start > at {
			hi = i
			break
		}
	}
	sentence := toks[lo:hi]
	return len(lexicon.Spans(&r.Outline.Tongue.Neg, sentence)) > 0 || len(lexicon.Spans(&r.Outline.Tongue.NegAfter, sentence)) > 0 ||
		slices.ContainsFunc(sentence, func(t lexicon.Token) bool { return slices.Contains(spared, t.Text) })
}

type mentioned struct {
	service string
	from    int // byte of the text
}

// in finds the names in a text as they are spelled, in any case, longer before shorter; no part of a longer name counts.
func (s *Services) in(text string) (out []mentioned) {
	words := wordsIn(text)
	for i := 0; i < len(words); i++ {
		for n := min(s.longest, len(words)-i); n > 0; n-- {
			from, to := words[i][0], words[i+n-1][1]
			k, ok := s.byName[strings.ToLower(text[from:to])]
			if !ok || joined(text, from, to) || k.plain && !meant(text, from, to, k.name) {
				continue
			}
			out = append(out, mentioned{k.service, from})
			i += n - 1
			break
		}
	}
	return out
}

// wordsIn are the runs of letters and digits of a text.
func wordsIn(text string) (out [][2]int) {
	start := -1
	for i, c := range text {
		switch in := unicode.IsLetter(c) || unicode.IsDigit(c); {
		case in && start < 0:
			start = i
		case !in && start >= 0:
			out = append(out, [2]int{start, i})
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, [2]int{start, len(text)})
	}
	return out
}

// joined says whether what stands at from..to is part of something longer: a longer name, an address, a file.
func joined(text string, from, to int) bool {
	const marks = "-_./@:#"
	before, n := utf8.DecodeLastRuneInString(text[:from])
	if n > 0 && strings.ContainsRune(marks, before) {
		return true
	}
	after, n := utf8.DecodeRuneInString(text[to:])
	next, _ := utf8.DecodeRuneInString(text[to+n:])
	return n > 0 && strings.ContainsRune(marks, after) && (unicode.IsLetter(next) || unicode.IsDigit(next))
}

// meant says whether an ordinary word is a service's name where it stands: as "the checkout service", before a colon at the
// beginning, alone in its paragraph, or in letters that no ordinary word has.
func meant(text string, from, to int, name string) bool {
	if ordinary[strings.ToLower(name)] {
		return false
	}
	if text[from:to] == name && strings.ContainsFunc(name[1:], unicode.IsUpper) && strings.ToUpper(name) != name {
		return true // authProxy
	}
	before, after := strings.ToLower(text[:from]), strings.ToLower(text[to:])
	if strings.TrimSpace(before) == "" && (strings.TrimSpace(after) == "" || strings.HasPrefix(after, ": ")) {
		return true
	}
	rest, ok := strings.CutPrefix(after, " service")
	return ok && (rest == "" || !unicode.IsLetter([]rune(rest)[0]))
}
