package webhook

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever Alertmanager's own type marshals to is read back as it was.
func TestDecodesAlertmanagersType(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a", "\"", "\\", "{}[],:", "\x00\u2028<&>", "🔥\xff"}))
	set := rapid.MapOfN(text, text, 0, 20)
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
		return time.Unix(rapid.Int64Range(315619200, 7258000000).Draw(t, "sec"), rapid.Int64Range(0, 999999999).Draw(t, "nsec")).In(zone)
	})
	alert := rapid.Custom(func(t *rapid.T) template.Alert {
		return template.Alert{
			Status: text.Draw(t, "status"), Labels: set.Draw(t, "labels"), Annotations: set.Draw(t, "annotations"), StartsAt: moment.Draw(t, "start"), EndsAt: moment.Draw(t, "end"),
			GeneratorURL: text.Draw(t, "url"), Fingerprint: text.Draw(t, "fingerprint"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		sent := struct {
			template.Data
			Version         string `json:"version"`
			GroupKey        string `json:"groupKey"`
			TruncatedAlerts uint64 `json:"truncatedAlerts"`
		}{
			template.Data{
				Receiver: text.Draw(t, "receiver"), Status: text.Draw(t, "status"), Alerts: rapid.SliceOfN(alert, 0, 5).Draw(t, "alerts"), NotificationReason: text.Draw(t, "reason"),
				GroupLabels: set.Draw(t, "group"), CommonLabels: set.Draw(t, "common"), ExternalURL: text.Draw(t, "external"),
			}, "4", text.Draw(t, "key"), rapid.Uint64().Draw(t, "truncated"),
		}
		body, err := json.Marshal(sent)
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "indented") {
			var b bytes.Buffer
			require.NoError(t, json.Indent(&b, body, " ", "\t"))
			body = b.Bytes()
		}
		m, err := decode(body, 100)
		require.NoError(t, err)
		// encoding/json writes what is no UTF-8 as the replacement character.
		utf := func(s string) string {
			return strings.ToValidUTF8(strings.Map(func(r rune) rune { return r }, s), "\uFFFD")
		}
		same := func(want template.KV, got map[string]string) {
			merged := map[string]bool{}
			for k := range want {
				merged[utf(k)] = true
			}
			require.Len(t, got, len(merged))
			if len(merged) < len(want) {
				return // two keys became one
			}
			for k, v := range want {
				require.Equal(t, utf(v), got[utf(k)])
			}
		}
		require.Equal(t, []string{utf(sent.Status), utf(sent.ExternalURL), utf(sent.NotificationReason), utf(sent.GroupKey), utf(sent.Receiver)},
			[]string{m.Status, m.ExternalURL, m.NotificationReason, m.GroupKey, m.Receiver})
		require.Equal(t, sent.TruncatedAlerts, m.TruncatedAlerts)
		require.Len(t, m.Alerts.list, len(sent.Alerts))
		for i, a := range sent.Alerts {
			got := m.Alerts.list[i]
			require.Nil(t, got.wrong)
			require.Equal(t, []string{utf(a.Status), utf(a.GeneratorURL), utf(a.Fingerprint)}, []string{got.Status, got.GeneratorURL, got.Fingerprint})
			require.True(t, a.StartsAt.Equal(got.StartsAt.Time) && a.EndsAt.Equal(got.EndsAt.Time))
			same(a.Labels, got.Labels)
			same(a.Annotations, got.Annotations)
		}
	})
}
