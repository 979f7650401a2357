package correlate

import (
	"testing"

	"meantime/test/properties"
)

func TestMain(m *testing.M) { properties.Main(m) }
