// Command image lays out what Meantime's container image has beside the program. In rootfs: who runs it, the certificates of
// authorities, licences, and a place for temporary files. In owned: the store's folder, which is Meantime's own. The certificates
// are Mozilla's as a module of Go carries them, so that the image is the same wherever it is built. Zone data is in the program.
package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is who runs in the image, by number too: Kubernetes' runAsNonRoot asks for a number.
const user = 65532

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: image FOLDER NOTICES")
		os.Exit(2)
	}
	if err := lay(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// lay makes rootfs and owned anew in a folder.
func lay(folder, notices string) error {
	root := filepath.Join(folder, "rootfs")
	for _, dir := range []string{root, filepath.Join(folder, "owned")} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	licence, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	others, err := os.ReadFile(notices)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"etc/passwd": fmt.Appendf(nil,
			"root:x:0:0:root:/:/sbin/nologin\nmeantime:x:%d:%[1]d:Meantime:/var/lib/meantime:/sbin/nologin\n", user),
		"etc/group":                         fmt.Appendf(nil, "root:x:0:\nmeantime:x:%d:\n", user),
		"etc/ssl/certs/ca-certificates.crt": authorities(),
		"usr/share/doc/meantime/LICENSE":    licence,
		"usr/share/doc/meantime/NOTICES":    others,
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	for name, mode := range map[string]os.FileMode{
		"rootfs/etc/meantime": 0o755, "rootfs/var/lib": 0o755, "rootfs/tmp": os.ModeSticky | 0o777, "owned/meantime": 0o755,
	} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			return err
		}
	}
	return nil
}

// authorities is the certificates of all that Mozilla trusts without a further condition.
func authorities() []byte {
	var b bytes.Buffer
	for c := range bundle.Roots() {
		if c.Constraint != nil {
			continue // what a file of certificates cannot say
		}
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate}) // a buffer takes everything
	}
	return b.Bytes()
}
