package api

import (
	"encoding/json"
	"net/http"

	"meantime/incident"
)

// getSetup says what is connected and what is missing.
func (a *api) getSetup(w http.ResponseWriter, r *http.Request) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	list, err := a.Setup(r.Context())
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, list)
}

// postTestAlert says what becomes of an alert with the given labels, and stores nothing of it.
func (a *api) postTestAlert(w http.ResponseWriter, r *http.Request) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	var in struct {
		Labels map[string]string `json:"labels"`
	}
	if r.ContentLength != 0 {
		b, err := a.body(w, r)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &in); err != nil {
			return incident.Errorf(incident.CodeInvalid, `not JSON of the form {"labels": {"alertname": "…"}}: %w`, err)
		}
	}
	if len(in.Labels) > 0 {
		if err := incident.CheckLabels(in.Labels); err != nil {
			return incident.Errorf(incident.CodeInvalid, "labels: %w", err)
		}
	}
	trial, err := a.TestAlert(r.Context(), in.Labels)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, trial)
}

// getDependencies lists which service needs which.
func (a *api) getDependencies(w http.ResponseWriter, r *http.Request) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	list, err := a.Dependencies(r.Context())
	if err != nil {
		return err
	}
	if list == nil {
		list = []incident.Dependency{}
	}
	return reply(w, http.StatusOK, map[string]any{"dependencies": list})
}
