package events

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSupplierNames(t *testing.T) {
	names, err := supplierNames()
	require.NoError(t, err)
	require.NotEmpty(t, names.Patterns)
}
