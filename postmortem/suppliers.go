package postmortem

import (
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// supplierNames is the data of lexicon/suppliers.yaml: companies whose outages are told in other companies' postmortems.
var supplierNames = sync.OnceValues(func() (*matcher, error) {
	b, err := lexiconFiles.ReadFile("lexicon/suppliers.yaml")
	if err != nil {
		return nil, err
	}
	var names []string
	if err := yaml.Unmarshal(b, &names); err != nil {
		return nil, fmt.Errorf("suppliers.yaml: %w", err)
	}
	m := &matcher{}
	for _, n := range names {
		if a := parseAlt(n); len(a) > 0 {
			m.add(pattern{parts: []part{{alts: []alt{a}}}})
		}
	}
	return m, nil
})

// suppliers knows the names of companies others depend on, without those that are the document's own.
type suppliers struct {
	names matcher
	own   map[string]bool
}

// subject says whether a sentence is about what a supplier does or says: the supplier's name, or a word for one, stands
// within its first words and a verb of doing or saying after it.
func (s *suppliers) subject(sent []token, t tongue) bool {
	at := -1
	s.names.find(sent, func(m match) {
		if at < 0 && m.from <= 5 && !s.own[sent[m.from].text] {
			at = m.to
		}
	})
	if at < 0 {
		if m := t.words["supplier"]; m != nil {
			m.find(sent, func(x match) {
				if at < 0 && x.from <= 8 {
					at = x.to
				}
			})
		}
	}
	if at < 0 {
		return false
	}
	// We before the supplier: then it is we who act on it.
	if t.has("team", sent[:min(at, len(sent))]) {
		return false
	}
	reach := 8
	if t.Script != "" {
		reach = 40
	}
	if t.has("says", sent[at:min(len(sent), at+reach)]) {
		return true
	}
	return false
}

// newSuppliers takes the file's names but for those that are the document's own.
func newSuppliers(d *document, t tongue) (*suppliers, error) {
	names, err := supplierNames()
	if err != nil {
		return nil, err
	}
	s := &suppliers{own: map[string]bool{}}
	s.names.patterns, s.names.first, s.names.stems, s.names.longest = names.patterns, names.first, names.stems, names.longest
	// What the title names is the document's own, unless the title blames it.
	toks := tokenize(foldWidth(d.title))
	from := 0
	blamed := len(toks)
	if m := t.words["because"]; m != nil {
		m.find(toks, func(x match) { blamed = min(blamed, x.from) })
	}
	for i := from; i < blamed; i++ {
		s.own[toks[i].text] = true
	}
	if i := strings.Index(d.name, "://"); i >= 0 { // an address's host
		host, _, _ := strings.Cut(d.name[i+3:], "/")
		for _, x := range tokenize(host) {
			s.own[x.text] = true
		}
	}
	return s, nil
}
