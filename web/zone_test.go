package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// A time is in UTC, and beside it in the reader's zone, with the day where that is another there.
func TestZone(t *testing.T) {
	tokyo, err := zoneNamed("Asia/Tokyo")
	require.NoError(t, err)
	berlin, err := zoneNamed("Europe/Berlin")
	require.NoError(t, err)
	summer, winter := time.Date(2026, 7, 1, 16, 5, 9, 0, time.UTC), time.Date(2026, 12, 31, 14, 5, 9, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{zone{}.clock(summer), "2026-07-01 16:05:09"},
		{berlin.clock(summer), "2026-07-01 16:05:09 (18:05:09 CEST)"},
		{berlin.clock(winter), "2026-12-31 14:05:09 (15:05:09 CET)"},
		{tokyo.clock(summer), "2026-07-01 16:05:09 (2026-07-02 01:05:09 JST)"},
		{tokyo.when(winter, incident.PrecisionMinute), "2026-12-31 14:05 (23:05 JST)"},
		{tokyo.when(winter, incident.PrecisionApproximate), "about 2026-12-31 14:05 (23:05 JST)"},
		{tokyo.when(winter, incident.PrecisionSecond), "2026-12-31 14:05:09 (23:05:09 JST)"},
	} {
		require.Equal(t, c.want, c.got)
	}
	for _, wrong := range []string{"Berlin", "Local", "../etc/passwd"} {
		_, err := zoneNamed(wrong)
		require.ErrorContains(t, err, "write it like Europe/Berlin", wrong)
	}
}

// A reader chooses a zone once; every page then has both.
func TestZoneIsRemembered(t *testing.T) {
	f := newFixture(t)
	f.many()
	w := f.post("/zone", "zone", "Asia/Tokyo", "back", "/figures?window=28d")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "/figures?window=28d", w.Header().Get("Location"))
	f.cookie = w.Result().Cookies()[0]
	require.Equal(t, "Asia/Tokyo", f.cookie.Value)
	require.Equal(t, http.SameSiteLaxMode, f.cookie.SameSite)
	for _, target := range []string{"/", "/figures", "/incidents", "/incidents/mx"} {
		page := f.get(target).Body.String()
		require.Contains(t, page, " JST)", target)
		require.Contains(t, page, `name="zone" value="Asia/Tokyo"`, target)
	}

	w = f.post("/zone", "zone", "", "back", "//evil.example.org")
	require.Equal(t, "/", w.Header().Get("Location"))
	require.Negative(t, w.Result().Cookies()[0].MaxAge)
	w = f.post("/zone", "zone", "Tokyo", "back", "/")
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "Unknown zone")

	f.cookie.Value = "no zone" // as somebody may have made it
	page := f.get("/incidents").Body.String()
	require.NotContains(t, page, "JST")
	require.Equal(t, 1, strings.Count(page, `name="zone" value=""`))
}

// Pages are kept for a bounded number of zones.
func TestZonesAreBounded(t *testing.T) {
	p := newPages("")
	for h := range 3 * maxZones {
		p.of(zone{time.FixedZone(strings.Repeat("x", h+1), h)})
		require.LessOrEqual(t, len(p.byZone), maxZones)
	}
	require.NotNil(t, p.of(zone{})["home"])
}
