package web

import (
	"net/http"
	"strings"

	"meantime/incident"
	"meantime/setup"
)

// setupPage is what the page of the set-up shows.
type setupPage struct {
	setup.Checklist
	Trial *setup.Trial // nil where none was asked for
	// Typed are the labels that were typed, and Wrong what is wrong with them.
	Typed, Wrong string
}

// showSetup shows what is connected and what is missing.
func (s *web) showSetup(w http.ResponseWriter, r *http.Request) error {
	return s.setupWith(w, r, http.StatusOK, setupPage{})
}

func (s *web) setupWith(w http.ResponseWriter, r *http.Request, status int, body setupPage) error {
	var err error
	if body.Checklist, err = s.Setup(r.Context()); err != nil {
		return err
	}
	return s.show(w, r, status, "setup", "Set-up", "setup", body)
}

// testAlert says what becomes of an alert. Nothing of it is stored, so that nobody needs to sign in.
func (s *web) testAlert(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	body := setupPage{Typed: strings.TrimSpace(r.PostForm.Get("labels"))}
	labels, err := typedLabels(body.Typed)
	if err != nil {
		body.Wrong = capital(err.Error())
		return s.setupWith(w, r, http.StatusBadRequest, body)
	}
	trial, err := s.TestAlert(r.Context(), labels)
	if err != nil {
		return err
	}
	body.Trial = &trial
	return s.setupWith(w, r, http.StatusOK, body)
}

// typedLabels reads labels as people write them: name=value, quoted or not, a comma or a line between two.
func typedLabels(text string) (map[string]string, error) {
	labels := map[string]string{}
	for _, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == '\n' || c == '\r' || c == '{' || c == '}' }) {
		name, value, ok := strings.Cut(part, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			if strings.TrimSpace(part) == "" {
				continue
			}
			return nil, incident.Errorf(incident.CodeInvalid, "not a label: %q; write name=value", cut(strings.TrimSpace(part)))
		}
		labels[name] = strings.Trim(strings.TrimSpace(value), `"'`)
	}
	if len(labels) == 0 {
		return nil, nil
	}
	if labels["alertname"] == "" {
		return nil, incident.Errorf(incident.CodeInvalid, "the labels name no alertname")
	}
	return labels, incident.CheckLabels(labels)
}
