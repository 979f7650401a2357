// Package labelled reads folders of postmortems that have their truth beside them.
package labelled

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"meantime/incident"
)

// A Moment is what is known of one milestone.
type Moment struct {
	UTC        *time.Time `yaml:"utc"`
	Confidence string     `yaml:"confidence"`
	Doubtful   bool       `yaml:"doubtful"`
}

// Stated says whether the document says the moment without doubt.
func (m Moment) Stated() bool { return m.UTC != nil && m.Confidence == "stated" && !m.Doubtful }

// Firm says whether there is no doubt of it, stated or inferred.
func (m Moment) Firm() bool { return m.UTC != nil && !m.Doubtful && m.Confidence != "doubtful" }

// Truth is the part of a truth file that is compared.
type Truth struct {
	Milestones map[string]Moment `yaml:"milestones"`
	MustFlag   []string          `yaml:"must_flag_not_guess"`
	Source     struct {
		Repo     string `yaml:"repo"`
		Page     string `yaml:"page"`
		URL      string `yaml:"url"`
		Original string `yaml:"original_url"`
	} `yaml:"source"`
}

var names = map[incident.MilestoneName]string{
	incident.Started: "impact_started", incident.Detected: "detected", incident.Acknowledged: "acknowledged",
	incident.Identified: "root_cause_identified",
	incident.Mitigated:  "mitigated", incident.Resolved: "resolved",
}

// Of is what is known of a milestone.
func (t Truth) Of(m incident.MilestoneName) Moment { return t.Milestones[names[m]] }

// A Document is a text and its truth.
type Document struct {
	Name  string // of the file, without its folder
	Body  []byte
	Truth Truth
}

// Organisation is whose document it is, so that all of one organisation can be left out of learning together: the owner of
// the repository, the host of the page, or, where none is named, the file.
func (d Document) Organisation() string {
	s := d.Truth.Source
	if owner, _, ok := strings.Cut(s.Repo, "/"); ok {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(owner))
	}
	for _, u := range []string{s.URL, s.Original, s.Page} {
		if u == "" {
			continue
		}
		_, rest, ok := strings.Cut(u, "://")
		if !ok {
			rest = u
		}
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, " ")
		labels := strings.Split(host, ".")
		return strings.ToLower(strings.ReplaceAll(labels[max(0, len(labels)-2)], "-", ""))
	}
	name := strings.TrimSuffix(d.Name, filepath.Ext(d.Name))
	return strings.TrimRight(name, "-0123456789")
}

// Read pairs every document of a folder with its truth: NAME.yaml beside NAME.ext, or NAME.ext.yaml.
func Read(dir string) ([]Document, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var ds []Document
	for _, f := range files {
		name := filepath.Join(dir, f.Name())
		ext := filepath.Ext(name)
		if ext == ".yaml" || f.IsDir() {
			continue
		}
		for _, t := range []string{name + ".yaml", strings.TrimSuffix(name, ext) + ".yaml"} {
			b, err := os.ReadFile(t)
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			d := Document{Name: f.Name()}
			if err := yaml.Unmarshal(b, &d.Truth); err != nil {
				return nil, fmt.Errorf("%s: %w", t, err)
			}
			if d.Body, err = os.ReadFile(name); err != nil {
				return nil, err
			}
			ds = append(ds, d)
			break
		}
	}
	if len(ds) == 0 {
		return nil, fmt.Errorf("%s: no document with its truth beside it", dir)
	}
	return ds, nil
}

// Near says whether two moments count as the same.
func Near(a, b time.Time) bool { return a.Sub(b).Abs() <= time.Minute }
