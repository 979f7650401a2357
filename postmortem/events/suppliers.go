package events

import (
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
)

// supplierNames is the data of lexicon/suppliers.yaml: companies whose outages are told in other companies' postmortems.
var supplierNames = sync.OnceValues(func() (*lexicon.Matcher, error) {
	b, err := lexicon.Files.ReadFile("suppliers.yaml")
	if err != nil {
		return nil, err
	}
	var names []string
	if err := yaml.Unmarshal(b, &names); err != nil {
		return nil, fmt.Errorf("suppliers.yaml: %w", err)
	}
	m := &lexicon.Matcher{}
	for _, n := range names {
		if a := lexicon.ParseAlt(n); len(a) > 0 {
			m.Add(lexicon.Pattern{Parts: []lexicon.Part{{Alts: []lexicon.Alt{a}}}})
		}
	}
	return m, nil
})

// Suppliers knows the names of companies others depend on, without those that are the document's own.
type Suppliers struct {
	names lexicon.Matcher
	own   map[string]bool
}

// subject says whether a sentence is about what a supplier does or says: the supplier's name, or a word for one, stands
// within its first words and a verb of doing or saying after it.
func (s *Suppliers) subject(sent []lexicon.Token, t lexicon.Tongue) bool {
	at := -1
	s.names.Find(sent, func(m lexicon.Match) {
		if at < 0 && m.From <= 5 && !s.own[sent[m.From].Text] {
			at = m.To
		}
	})
	if at < 0 {
		if m := t.Words["supplier"]; m != nil {
			m.Find(sent, func(x lexicon.Match) {
				if at < 0 && x.From <= 8 {
					at = x.To
				}
			})
		}
	}
	if at < 0 {
		return false
	}
	// We before the supplier: then it is we who act on it.
	if t.Has("team", sent[:min(at, len(sent))]) {
		return false
	}
	reach := 8
	if t.Script != "" {
		reach = 40
	}
	return t.Has("says", sent[at:min(len(sent), at+reach)])
}

// NewSuppliers takes the file's names but for those that are the document's own.
func NewSuppliers(d *document.Document, t lexicon.Tongue) (*Suppliers, error) {
	names, err := supplierNames()
	if err != nil {
		return nil, err
	}
	s := &Suppliers{own: map[string]bool{}}
	s.names.Patterns, s.names.First, s.names.Stems, s.names.Longest = names.Patterns, names.First, names.Stems, names.Longest
	// What the title names is the document's own, unless the title blames it.
	toks := lexicon.Tokenize(lexicon.FoldWidth(d.Title))
	from := 0
	blamed := len(toks)
	if m := t.Words["because"]; m != nil {
		m.Find(toks, func(x lexicon.Match) { blamed = min(blamed, x.From) })
	}
	for i := from; i < blamed; i++ {
		s.own[toks[i].Text] = true
	}
	if i := strings.Index(d.Name, "://"); i >= 0 { // an address's host
		host, _, _ := strings.Cut(d.Name[i+3:], "/")
		for _, x := range lexicon.Tokenize(host) {
			s.own[x.Text] = true
		}
	}
	return s, nil
}
