package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"meantime/incident"
)

// native reads files of the native form: one record, a list of them, or several documents of either.
func (s *Source) native(parse func([]byte) ([]*yaml.Node, *Problem)) reader {
	return reader{read: func(_ string, body, _ []byte) content {
		docs, broken := parse(body)
		var c content
		budget := maxNodes
		for _, d := range docs {
			for d.Kind == yaml.AliasNode {
				d = d.Alias
			}
			switch {
			case d.Kind == yaml.SequenceNode:
				for _, n := range d.Content {
					s.record(&c, n, &budget)
				}
			case d.Kind == yaml.ScalarNode && d.Tag == "!!null": // an empty document
			default:
				s.record(&c, d, &budget)
			}
		}
		if broken != nil {
			c.opaque = true
			c.problems = append(c.problems, *broken)
		}
		return c
	}}
}

// record reads one record of a file.
func (s *Source) record(c *content, n *yaml.Node, budget *int) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	t := newTranslation(n, budget)
	body := t.record(n)
	id, _ := body["id"].(string)
	c.problems = append(c.problems, t.unknown...)
	if body == nil {
		c.refuse(id, t.problems)
		return
	}
	raw, err := json.Marshal(body)
	if err != nil {
		c.refuse(id, []Problem{{Line: n.Line, Message: err.Error()}})
		return
	}
	r, err := incident.DecodeRecordAs(incident.RecordKey{Source: s.name}, raw)
	if err == nil {
		err = r.CheckPast(s.now())
	}
	problems := t.problems
	if err != nil {
		for _, p := range problemsOf(err, t.line) {
			// What was left out because it is wrong is not missing.
			if !t.wrong[p.Path] && t.firstAt(p) {
				problems = append(problems, p)
			}
		}
	}
	switch {
	case len(problems) > 0:
		c.refuse(id, problems)
	case r.Withdrawn: // the same as not being there
	default:
		c.records = append(c.records, located{r, n.Line})
	}
}

// parseYAML gives the documents of a file up to the first mistake, and the mistake.
func parseYAML(body []byte) ([]*yaml.Node, *Problem) {
	var docs []*yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(body))
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return docs, yamlProblem(err)
		case len(doc.Content) == 1:
			docs = append(docs, doc.Content[0])
		}
	}
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?((?s).*)$`)

// yamlProblem reads the line out of a parser's error.
func yamlProblem(err error) *Problem {
	p := &Problem{Line: 1, Message: err.Error()} // it says no line where it means the first
	if m := yamlError.FindStringSubmatch(err.Error()); m != nil {
		p.Message = m[2]
		if m[1] != "" {
			p.Line, _ = strconv.Atoi(m[1])
			// yaml.v3 counts from 1 in what its scanner finds and from 0 in what its parser finds, which is all that begins so.
			if strings.HasPrefix(p.Message, "did not find expected") {
				p.Line++
			}
		}
	}
	p.Message = "not YAML: " + p.Message
	return p
}

// parseJSON gives the values of a file as nodes, up to the first mistake, and the mistake. JSON is almost YAML, but tabs
// and escaped surrogates are not.
func parseJSON(body []byte) ([]*yaml.Node, *Problem) {
	p := &jsonParser{body: body, d: json.NewDecoder(bytes.NewReader(body)), line: 1}
	p.d.UseNumber()
	var docs []*yaml.Node
	for {
		n, err := p.value(0)
		switch {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			at := int(p.d.InputOffset())
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) {
				at = int(syntax.Offset)
			}
			msg := err.Error()
			if errors.Is(err, io.ErrUnexpectedEOF) {
				msg, at = "it ends too early", len(body)
			}
			at = min(max(at, 0), len(body))
			return docs, &Problem{Line: 1 + bytes.Count(body[:at], []byte("\n")), Message: "not JSON: " + msg}
		}
		docs = append(docs, n)
	}
}

type jsonParser struct {
	body []byte
	d    *json.Decoder
	at   int // line is that of this offset
	line int
}

// maxDepth is how deeply values can be nested; a record needs four levels.
const maxDepth = 50

func (p *jsonParser) value(depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	t, err := p.d.Token()
	if err != nil {
		if depth > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	end := int(p.d.InputOffset())
	p.line += bytes.Count(p.body[p.at:end], []byte("\n")) // no token has a newline in it, so its end tells its line
	p.at = end
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: p.line}
	switch v := t.(type) {
	case json.Delim:
		n.Kind = yaml.MappingNode
		if v == '[' {
			n.Kind = yaml.SequenceNode
		}
		for p.d.More() {
			child, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		if _, err := p.d.Token(); err != nil { // the closing one
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		end := int(p.d.InputOffset())
		p.line += bytes.Count(p.body[p.at:end], []byte("\n"))
		p.at = end
	case string:
		n.Tag, n.Value = "!!str", v
	case json.Number:
		n.Tag, n.Value = "!!float", v.String()
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
	default:
		n.Tag = "!!null"
	}
	return n, nil
}
