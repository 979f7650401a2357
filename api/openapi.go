package api

import (
	_ "embed"
	"net/http"
)

// openapi is the document that describes the API. It is written by hand; the tests hold every answer against it.
//
//go:embed openapi.json
var openapi []byte

func (a *api) openAPI(w http.ResponseWriter, r *http.Request) error {
	send(w, http.StatusOK, "application/json", openapi)
	return nil
}

// openAPIMoved leads people who look for the document beside the routes to where it is.
func (a *api) openAPIMoved(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, a.Prefix+"/api/openapi.json", http.StatusPermanentRedirect)
	return nil
}
