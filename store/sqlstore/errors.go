package sqlstore

import (
	"context"
	"errors"

	"meantime/incident"
)

// explained is err with a code and with words that say what to do.
func explained(d *database, err error) error {
	var coded *incident.Error
	if err == nil || errors.As(err, &coded) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &incident.Error{Code: incident.CodeUnavailable, Err: err}
	}
	if e := d.explain(err); e != nil {
		return e
	}
	return err
}

// closeAll closes what is open of the database.
func (d *database) closeAll() error {
	var errs []error
	if d.read != nil {
		errs = append(errs, d.read.Close())
	}
	if d.write != nil {
		errs = append(errs, d.write.Close())
	}
	return errors.Join(append(errs, d.close())...)
}
