package postmortem

import (
	"fmt"
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
