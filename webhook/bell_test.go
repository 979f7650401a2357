package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// vectors has the signatures judged by deliveries of another folder as well, with a folder <type>/webhook-vectors.json for each.
var vectors = flag.String("vectors", "", "folder with <type>/webhook-vectors.json to judge signatures by, besides testdata")

func hexMAC(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// Signatures of each vendor: right, by another secret, of another body, too old, none.
func TestSignatures(t *testing.T) {
	const body, key = `{"a":1}`, "k1"
	now := time.Unix(1_796_006_400, 0)
	at := strconv.FormatInt(now.Unix(), 10)
	old := strconv.FormatInt(now.Add(-bellSkew-time.Second).Unix(), 10)
	for _, c := range []struct {
		name, typ string
		header    []string
		query     string
		want      error
	}{
		{"pagerduty", "pagerduty", []string{"X-PagerDuty-Signature", "v1=" + hexMAC(key, body)}, "", nil},
		{"the second of two", "pagerduty", []string{"X-PagerDuty-Signature", "v1=" + hexMAC("x", body) + ",v1=" + hexMAC(key, body)}, "", nil},
		{"another version", "pagerduty", []string{"X-PagerDuty-Signature", "v0=" + hexMAC(key, body)}, "", errBadSignature},
		{"another body", "pagerduty", []string{"X-PagerDuty-Signature", "v1=" + hexMAC(key, body+" ")}, "", errBadSignature},
		{"not signed", "pagerduty", nil, "", errNoSignature},
		{"a token is not enough where one signs", "pagerduty", []string{"X-Meantime-Token", key}, key, errNoSignature},
		{"github", "github", []string{"X-Hub-Signature-256", "sha256=" + hexMAC(key, body)}, "", nil},
		{"github's old header", "github", []string{"X-Hub-Signature", "sha1=" + hexMAC(key, body)}, "", errNoSignature},
		{"jira", "jira", []string{"X-Hub-Signature", "sha256=" + hexMAC(key, body)}, "", nil},
		{"gitlab's token", "gitlab", []string{"X-Gitlab-Token", key}, "", nil},
		{"gitlab's wrong token", "gitlab", []string{"X-Gitlab-Token", key + "x"}, "", errBadSignature},
		{"rootly", "rootly", []string{"X-Rootly-Signature", "t=" + at + ",v1=" + hexMAC(key, at+body)}, "", nil},
		{"rootly, old", "rootly", []string{"X-Rootly-Signature", "t=" + old + ",v1=" + hexMAC(key, old+body)}, "", errBadTime},
		{"rootly, another time", "rootly", []string{"X-Rootly-Signature", "t=" + at + ",v1=" + hexMAC(key, old+body)}, "", errBadSignature},
		{"firehydrant", "firehydrant", []string{"fh-signature", hexMAC(key, body)}, "", nil},
		{"a token", "http", []string{"X-Meantime-Token", key}, "", nil},
		{"a bearer token", "opsgenie", []string{"Authorization", "Bearer " + key}, "", nil},
		{"a token in the address", "statuspage", nil, key, nil},
		{"a wrong one", "statuspage", nil, key + "x", errNoSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			for i := 0; i < len(c.header); i += 2 {
				h.Set(c.header[i], c.header[i+1])
			}
			b := Bell{Type: c.typ, Secrets: []func() string{func() string { return "older" }, func() string { return key }, func() string { return "" }}}
			_, err := b.verify(h, c.query, []byte(body), now)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestVectors(t *testing.T) {
	folders := []string{filepath.Join("..", "source", "*")}
	n := 0
	if *vectors != "" {
		folders = append(folders, filepath.Join(*vectors, "*"))
	}
	for _, folder := range folders {
		for _, name := range []string{"webhook-vectors.json", "testdata/webhook-vectors.json"} {
			files, err := filepath.Glob(filepath.Join(folder, name))
			require.NoError(t, err)
			for _, f := range files {
				typ := strings.TrimSuffix(filepath.Base(filepath.Dir(strings.Replace(f, "/testdata/", "/", 1))), "-issues")
				typ = strings.Replace(typ, "incidentio", "incident-io", 1)
				text, err := os.ReadFile(f)
				require.NoError(t, err)
				var list []struct {
					Name, Secret, Body string
					Headers            map[string]string
					Valid              bool
					Now                int64 `json:"now_unix"`
				}
				require.NoError(t, json.Unmarshal(text, &list), f)
				for _, v := range list {
					h := http.Header{}
					for k, x := range v.Headers {
						h.Set(k, x)
					}
					b := Bell{Type: typ, Secrets: []func() string{func() string { return v.Secret }}}
					_, err := b.verify(h, "", []byte(v.Body), time.Unix(v.Now, 0))
					require.Equal(t, v.Valid, err == nil, "%s: %s: %v", f, v.Name, err)
					n++
				}
			}
		}
	}
	require.Greater(t, n, 3)
}

func TestBells(t *testing.T) {
	rings := 0
	var down error
	r := New(Options{})
	handler := r.Bells(func(name string) (Bell, bool) {
		return Bell{Name: name, Type: "pagerduty", Secrets: []func() string{func() string { return "k" }}, Ring: func(context.Context) error {
			if down == nil {
				rings++
			}
			return down
		}}, name == "pager"
	})
	send := func(method, path, body, id string) int {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("X-PagerDuty-Signature", "v1="+hexMAC("k", body))
		req.Header.Set("X-Webhook-Id", id)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w.Code
	}
	require.Equal(t, 202, send("POST", "/webhook/pager", "{}", "1"))
	require.Equal(t, 200, send("POST", "/webhook/pager", "{}", "1"), "the same delivery again")
	require.Equal(t, 202, send("POST", "/webhook/pager", "not even JSON", "2"), "what it says does not matter")
	require.Equal(t, 2, rings)
	require.Equal(t, 404, send("POST", "/webhook/other", "{}", "3"))
	require.Equal(t, 200, send("GET", "/webhook/pager", "", ""))
	require.Equal(t, 405, send("PUT", "/webhook/pager", "{}", "4"))
	require.Equal(t, 413, send("POST", "/webhook/pager", strings.Repeat("x", maxBell+1), "5"))
	down = errors.New("disk full")
	require.Equal(t, 503, send("POST", "/webhook/pager", "{}", "6"))
	down = nil
	require.Equal(t, 202, send("POST", "/webhook/pager", "{}", "6"), "what was not stored comes again")
	for i := range maxRemembered + 10 {
		require.Equal(t, 202, send("POST", "/webhook/pager", "{}", "x"+strconv.Itoa(i)))
	}
	require.LessOrEqual(t, len(r.deliveries.seen), maxRemembered, "what is remembered is bounded")
}

func FuzzBell(f *testing.F) {
	f.Add("rootly", "X-Rootly-Signature", "t=1,v1=00", []byte("{}"))
	f.Add("incident-io", "webhook-signature", "v1,AA==", []byte("{}"))
	f.Fuzz(func(t *testing.T, typ, header, value string, body []byte) {
		b := Bell{Type: typ, Secrets: []func() string{func() string { return "whsec_a2V5" }}}
		_, err := b.verify(http.Header{http.CanonicalHeaderKey(header): {value}}, "", body, time.Unix(1, 0))
		if err == nil {
			require.Contains(t, value+string(body), "whsec_a2V5")
		}
	})
}
