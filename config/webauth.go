package config

import (
	"go.yaml.in/yaml/v3"
)

// WebAuth is what the web configuration of exporter-toolkit, which is a file of its own, asks of whoever calls.
type WebAuth struct {
	Passwords    bool // basic authentication
	Certificates bool // of clients
}

// Any says whether anything is asked for.
func (w WebAuth) Any() bool { return w.Passwords || w.Certificates }

// maxWebConfig bounds that file, in bytes.
const maxWebConfig = 1 << 20

// ReadWebAuth reads the little of it that decides who may call. Whether the file is right exporter-toolkit says.
func ReadWebAuth(file string) (WebAuth, error) {
	b, err := readFile(Path(file), maxWebConfig)
	if err != nil {
		return WebAuth{}, err
	}
	var c struct {
		TLS struct {
			ClientAuth string `yaml:"client_auth_type"`
		} `yaml:"tls_server_config"`
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(b, &c); err != nil {
		return WebAuth{}, err
	}
	return WebAuth{
		Passwords:    len(c.Users) > 0,
		Certificates: c.TLS.ClientAuth == "RequireAndVerifyClientCert",
	}, nil
}
