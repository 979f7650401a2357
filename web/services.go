package web

import (
	"net/http"

	"meantime/incident"
)

// mostDependencies is how many the page shows.
const mostDependencies = 500

// showServices shows which service needs which.
func (s *web) showServices(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Dependencies(r.Context())
	if err != nil {
		return err
	}
	body := struct {
		Dependencies []incident.Dependency
		More         int // that are not shown
	}{list, max(0, len(list)-mostDependencies)}
	body.Dependencies = list[:len(list)-body.More]
	return s.show(w, r, http.StatusOK, "services", "Services", "services", body)
}

// viaWords says what tells of a call.
func viaWords(via string) string {
	switch via {
	case "traces":
		return "traces"
	case "istio":
		return "Istio"
	case "linkerd":
		return "Linkerd"
	case "hubble":
		return "Hubble"
	}
	return via
}
