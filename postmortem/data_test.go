package postmortem

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// Data are refused as such, whatever a text of the same words would say.
func TestDataIsRefused(t *testing.T) {
	for _, c := range []struct{ name, body, kind string }{
		{"export.json", `{"incidents": [{"name": "Logins fail", "resolved_at": "2026-08-02T10:40:00Z"}]}`, "JSON"},
		{"export", "\xef\xbb\xbf [{\"id\": 1,\n \"createdAt\": \"2026-08-02T10:40:00Z\"}]\n", "JSON"},
		{"issues.json", `[{"number": 7, "title": "Prints are late", "state": "CLOSED", "createdAt": "2026-08-02T06:40:00Z", "closedAt": "2026-08-02T10:40:00Z", "labels": [{"name": "incident"}]}]`, "JSON"},
		{"issues", "{\"number\": 7,\n \"closedAt\": \"2026-08-02T10:40:00Z\",\n \"body\": \"Resolved at 10:40 UTC.\"}\n", "JSON"},
		{"export.txt", `{"id": 1, "closed": "2026-08-02T10:40:00Z"}` + "\n" + `{"id": 2}`, "JSON"},
		{"broken.JSON", `{"id": 1,`, "JSON"},
		{"history.yml", "status: up\nlastUpdated: 2026-01-14T23:08:36.001Z\n", "YAML"},
		{"incidents.yaml", "- start: 2026-01-14T23:08:36Z\n", "YAML"},
		{"pages.csv", "id,created_on\nP1,2026-08-02 10:40\n", "CSV"},
		{"pages", "id,created_on,resolved_on\nP1,2026-08-02 10:40,2026-08-02 11:40\n", "CSV"},
		{"pages.txt", "Incident ID;Opened;Closed\n\"7\";\"2026-08-02 10:40\";\n", "CSV"},
		{"pages.tsv", "a\tb\n", "CSV"},
		{"incident.toml", "title = \"x\"\n", "TOML"},
	} {
		_, err := Read(c.name, []byte(c.body), Options{})
		require.ErrorContains(t, err, "this is "+c.kind+", data and not a written document: turn each incident into a record", c.name)
		require.Equal(t, incident.CodeUnprocessable, incident.CodeOf(err))
	}
	for _, c := range []struct{ name, body string }{
		{"a.md", "{not data}\n\n10:00 UTC it broke\n"},
		{"b.md", "[{\"a\": 1}] was what the service answered at 10:00 UTC on 2026-03-01.\n"},
		{"c.txt", "Today, at ten, we had an outage.\nFirst, checkout, then search.\n"},
		{"d.txt", "2026-03-01,10:00,it broke\n2026-03-01,11:00,it was mended\n"},
		{"e.md", "Down, up, down, up.\n\nIt flapped.\n"},
		{"f", ""},
	} {
		_, err := Read(c.name, []byte(c.body), Options{})
		require.NoError(t, err, c.name)
	}
}

// An id is the document's name, and for names that many documents have that of their folder.
func TestRecordID(t *testing.T) {
	for name, want := range map[string]string{
		"2026-03-04-db-full.md": "2026-03-04-db-full", "incidents/2026-03-04-db-full.md": "2026-03-04-db-full", "README.md": "README",
		"./README.md": "README", "2026-03-04-db-full/README.md": "2026-03-04-db-full", "a/b/Readme.markdown": "b", "a/b/index.html": "b",
		`C:\incidents\db-full\postmortem.md`: "db-full", "/srv/x/Post-Mortem.md": "x", "/README.md": "README", "../README.md": "README",
		"https://example.org/incidents/db-full/index.html?x=1": "db-full", "https://example.org/postmortem": "example.org",
		"https://example.org/blog/db-full/": "db-full", "a/report.md": "a", "a/incident-report.md": "a", "a/incident_7.md": "incident_7",
	} {
		require.Equal(t, want, recordID(name, 0, ""), name)
	}
	require.Equal(t, "b-2", recordID("a/b/README.md", 1, ""))
}
