package api

import (
	"errors"
	"net/http"
	"strconv"

	"meantime/preview"
)

// postPreview says what the configuration in the body would make of the facts of a period. Nothing is stored; it is guarded like writing,
// because it takes memory and a processor.
func (a *api) postPreview(w http.ResponseWriter, r *http.Request) error {
	v := newQuery(r, "window", "from", "to", "month", "zone")
	q := stretch(v)
	if err := v.err(); err != nil {
		return err
	}
	text, err := read(w, r, preview.MaxText, "a configuration as YAML")
	if err != nil {
		return err
	}
	change, err := a.Preview(r.Context(), text, q)
	if errors.Is(err, preview.ErrBusy) {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		return &problem{Status: http.StatusTooManyRequests, Detail: err.Error()}
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, change)
}
