package httpjson

import (
	"context"

	"meantime/incident"
	"meantime/source"
)

// Map implements source.Connector: the configuration's program does it.
func (c *Connector) Map(it *source.Item) ([]incident.Record, error) {
	return c.mapp.Records(context.Background(), it.Raw)
}
