package webhook

import (
	"encoding/json"
	"net/http"

	"meantime/incident"
)

// maxShown bounds the refusals listed in one answer.
const maxShown = 20

// answer is a response: what was taken, or an RFC 9457 problem.
type answer struct {
	status  int
	taken   int
	ignored int // alerts that the configuration leaves out
	detail  string
	refused incident.Problems
	// err is what is wrong here, for the log alone: it may tell of files and hosts that are no sender's business.
	err error
}

func problem(status int, detail string) answer { return answer{status: status, detail: detail} }

func unavailable(detail string, err error) answer {
	return answer{status: http.StatusServiceUnavailable, detail: detail, err: err}
}

func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	shown := a.refused[:min(len(a.refused), maxShown)]
	var body any
	if a.status < 300 {
		h.Set("Content-Type", "application/json")
		body = struct {
			Taken   int               `json:"taken"`
			Ignored int               `json:"ignored,omitempty"`
			Refused int               `json:"refused"`
			Errors  incident.Problems `json:"errors,omitempty"`
		}{a.taken, a.ignored, len(a.refused), shown}
	} else {
		h.Set("Content-Type", "application/problem+json")
		if a.status == http.StatusServiceUnavailable {
			h.Set("Retry-After", retryAfter)
		}
		body = struct {
			Type   string            `json:"type"`
			Title  string            `json:"title"`
			Status int               `json:"status"`
			Detail string            `json:"detail"`
			Errors incident.Problems `json:"errors,omitempty"`
		}{"about:blank", http.StatusText(a.status), a.status, a.detail, shown}
	}
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(body) // a sender that hung up is not ours to tell
}
