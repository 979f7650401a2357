package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Healthcheck asks a running Meantime at an address whether it is alive, for what has no other way to ask, such as a container
// without a shell. It waits for the timeout at most.
//
// A daemon that wants a password answers 401, and is alive. A certificate is not looked at where the daemon is asked on the machine
// itself: it names the host as others call it, and nothing secret is said.
func Healthcheck(ctx context.Context, address string, timeout time.Duration) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("--url: %q is not an address such as http://127.0.0.1:10049/-/healthy", address)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	client := &http.Client{
		// Asked directly, whatever proxy the environment names.
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: loopback(u.Hostname())}, //nolint:gosec // see above
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("%s answers %s", u.Redacted(), res.Status)
	}
	return nil
}

// loopback says whether a host is the machine itself.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
