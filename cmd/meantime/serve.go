package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"meantime/app"
)

func serveCommand(a *kingpin.Application) command {
	c := a.Command("serve", "Run the daemon.").Default()
	lifecycle := c.Flag("web.enable-lifecycle", "Let anybody who reaches the port reload by POST /-/reload where web.write_token_file is not configured.").Bool()
	profile := c.Flag("web.enable-pprof", "Serve profiles under /debug/pprof to anybody who reaches the port.").Bool()
	external := c.Flag("web.external-url", "The URL under which Meantime is reached from outside, such as https://ops.example.org/meantime; "+
		"links begin with its path. http://HOSTNAME:PORT where it is not given.").PlaceHolder("<URL>").String()
	prefix := c.Flag("web.route-prefix", "What the paths of all requests begin with; the path of --web.external-url where it is not given. "+
		"A proxy that takes the prefix away needs /.").PlaceHolder("<path>").String()
	flags := kingpinflag.AddFlags(c, ":10049")
	return command{c, func(ctx context.Context, p *program) error {
		o := p.options()
		o.Screen = nil // a daemon's terminal is for its log
		o.ExternalURL, o.RoutePrefix = *external, *prefix
		o.Web, o.EnableLifecycle, o.EnablePprof = flags, *lifecycle, *profile
		return app.Run(ctx, o)
	}}
}
