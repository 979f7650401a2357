package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"meantime/eval/postmortem/labelled"
	"meantime/postmortem"
	"meantime/postmortem/extract"
	"meantime/postmortem/lexicon"
)

// document is one with what learning needs to know of it.
type document struct {
	labelled.Document
	org    string
	taught bool // the lexicons were written from it
	own    bool // of the reader's own tests, invented
	known  bool // read with all that its organisation bears out: learned from, and nothing is measured on it
}

func documents(own string, dirs, fresh []string) ([]document, error) {
	var out []document
	add := func(dir string, taught, isOwn bool) error {
		ds, err := labelled.Read(dir)
		if err != nil {
			return err
		}
		for _, d := range ds {
			out = append(out, document{Document: d, org: d.Organisation(), taught: taught, own: isOwn})
		}
		return nil
	}
	if err := add(own, true, true); err != nil {
		return nil, err
	}
	for _, d := range dirs {
		if err := add(d, true, false); err != nil {
			return nil, err
		}
	}
	for _, d := range fresh {
		if err := add(d, false, false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// example is one document as learning sees it: numbers for its features.
type example struct {
	doc      document
	problem  *extract.Problem // nil where nothing could be chosen
	found    postmortem.Found
	moments  []extract.Moment
	momentOf []int            // source -> moment
	sources  [][]int32        // features of a source
	none     []int32          // features of the document
	target   [extract.N][]int // the sources that are right; empty where none is
	skip     [extract.N]bool  // the truth is doubtful
	truth    [extract.N]int   // moment, -1 none, -2 not known
	pairs    [extract.N][][]int32
	nonePair [extract.N][]int32
}

// set is all documents and the names of the features.
type set struct {
	examples []*example
	names    []string // of the features of sources and documents
	pairs    []string
	group    map[string]int // organisation -> with which others it is left out
}

// readAll reads every document as one reads it who has not seen its organisation.
func readAll(docs []document, without []string) (*set, error) {
	uses := map[lexicon.Use]string{} // the only organisation, or "*"
	org := ""
	all, err := lexicon.NewVocabulary(func(u lexicon.Use) {
		if o, ok := uses[u]; ok && o != org {
			uses[u] = "*"
		} else {
			uses[u] = org
		}
	})
	if err != nil {
		return nil, err
	}
	for _, d := range docs {
		org = d.org
		if _, err := postmortem.Read(d.Name, d.Body, postmortem.Options{Vocabulary: all}); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	plain, err := lexicon.NewVocabulary(nil)
	if err != nil {
		return nil, err
	}
	ofOne := map[string]map[lexicon.Use]bool{} // organisation -> what only it bears out
	for u, o := range uses {
		if ofOne[o] == nil {
			ofOne[o] = map[lexicon.Use]bool{}
		}
		ofOne[o][u] = true
	}
	s := &set{}
	ids, pairIDs := map[string]int32{}, map[string]int32{}
	start := time.Now()
	for _, d := range docs {
		v := plain
		if d.taught {
			if v, err = plain.Without(ofOne[d.org]); err != nil {
				return nil, err
			}
		}
		res, err := postmortem.Read(d.Name, d.Body, postmortem.Options{Vocabulary: v})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		s.add(d, res, ids, pairIDs, without)
		if !d.taught {
			continue
		}
		if res, err = postmortem.Read(d.Name, d.Body, postmortem.Options{Vocabulary: plain}); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		d.known = true
		s.add(d, res, ids, pairIDs, without)
	}
	s.names, s.pairs = namesOf(ids), namesOf(pairIDs)
	fmt.Fprintf(os.Stderr, "%d documents read in %s, %d features, %d of pairs\n",
		len(docs), time.Since(start).Round(time.Second), len(s.names), len(s.pairs))
	return s, nil
}

func namesOf(ids map[string]int32) []string {
	out := make([]string, len(ids))
	for n, i := range ids {
		out[i] = n
	}
	return out
}

// best is the incident of a document that agrees best with the truth.
func best(res postmortem.Result, t labelled.Truth) postmortem.Found {
	var f postmortem.Found
	most := -1
	for _, x := range res.Incidents {
		n := 0
		for _, m := range extract.Milestones {
			want := t.Of(m)
			if want.UTC == nil {
				continue
			}
			if s, ok := x.Record.Milestones[m]; ok && labelled.Near(s.At, *want.UTC) {
				n += 2
			}
			if x.Problem != nil && slices.ContainsFunc(x.Problem.Sources, func(s extract.Source) bool { return labelled.Near(s.At, *want.UTC) }) {
				n++
			}
		}
		if n > most {
			most, f = n, x
		}
	}
	return f
}

func (s *set) add(d document, res postmortem.Result, ids, pairIDs map[string]int32, without []string) {
	e := &example{doc: d, found: best(res, d.Truth)}
	e.problem = e.found.Problem
	s.examples = append(s.examples, e)
	number := func(fs []string, ids map[string]int32) []int32 {
		var out []int32
		seen := map[int32]bool{}
		for _, f := range fs {
			if slices.ContainsFunc(without, func(p string) bool { return strings.HasPrefix(f, p) }) {
				continue
			}
			i, ok := ids[f]
			if !ok {
				i = int32(len(ids))
				ids[f] = i
			}
			if !seen[i] {
				seen[i] = true
				out = append(out, i)
			}
		}
		return out
	}
	p := e.problem
	if p == nil {
		return
	}
	e.moments = p.Moments()
	e.momentOf = make([]int, len(p.Sources))
	for k, m := range e.moments {
		for _, i := range m.Sources {
			e.momentOf[i] = k
		}
	}
	for _, x := range p.Sources {
		e.sources = append(e.sources, number(x.Features, ids))
	}
	e.none = number(p.Document, ids)
	for m, name := range extract.Milestones {
		want := d.Truth.Of(name)
		e.truth[m] = -1
		switch {
		case want.UTC != nil && !want.Firm():
			e.skip[m], e.truth[m] = true, -2
		case want.UTC != nil:
			for i, x := range p.Sources {
				if labelled.Near(x.At, *want.UTC) {
					e.target[m] = append(e.target[m], i)
					e.truth[m] = e.momentOf[i]
				}
			}
			if len(e.target[m]) == 0 {
				e.truth[m] = -2 // it is told, but not seen
			}
		}
	}
	for m := range extract.N {
		together := func(k int) []int32 {
			var fs []string
			for o := range extract.N {
				switch {
				case o == m || e.truth[o] == -2:
				case o < m:
					fs = append(fs, p.Pair(e.moments, o, e.truth[o], m, k)...)
				default:
					fs = append(fs, p.Pair(e.moments, m, k, o, e.truth[o])...)
				}
			}
			return number(fs, pairIDs)
		}
		byMoment := map[int][]int32{}
		for i := range p.Sources {
			k := e.momentOf[i]
			if _, ok := byMoment[k]; !ok {
				byMoment[k] = together(k)
			}
			e.pairs[m] = append(e.pairs[m], byMoment[k])
		}
		e.nonePair[m] = together(-1)
	}
}

// organisations lists those of all documents.
func (s *set) organisations() []string {
	m := map[string]bool{}
	for _, e := range s.examples {
		m[e.doc.org] = true
	}
	return slices.Sorted(maps.Keys(m))
}
