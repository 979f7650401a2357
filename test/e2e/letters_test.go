package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestLetters: a letter is wanted from the first start on, a restart does not forget since when, and the page is there to be read
// meanwhile. What is due and when, and that each is sent once, the tests of app and letter/post say.
func TestLetters(t *testing.T) {
	dir := t.TempDir()
	config := "sources: []\nletters: [{name: managers, url: 'http://127.0.0.1:1/', form: slack, zone: Asia/Tokyo}]\n"
	since := func(m *servers.MeantimeServer) (at string) {
		servers.Eventually(t, 2*time.Minute, func() error {
			_, text, err := m.Do("GET", "/metrics", nil)
			if err != nil {
				return err
			}
			e, err := servers.ReadExposition(text)
			if err != nil {
				return err
			}
			var ok bool
			if at, ok = e[`meantime_letter_told_timestamp_seconds{letter="managers"}`]; !ok {
				return fmt.Errorf("nothing is told of the letter")
			}
			return nil
		})
		return at
	}
	m := servers.Meantime(t, servers.MeantimeOptions{Dir: dir, Config: config})
	first := since(m)
	m.Restart()
	require.Equal(t, first, since(m))

	status, body, err := m.Do("GET", "/reports/"+time.Now().UTC().Format("2006-01")+"?format=text", nil)
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.Contains(t, string(body), "# Incidents, ")
	require.Contains(t, string(body), "(MTTR): **not known** of all 0 incidents")
}
