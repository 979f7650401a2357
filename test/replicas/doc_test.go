// Package replicas tests several Meantimes on one PostgreSQL, as real processes: who correlates, that all say the same, and
// that nothing is lost whichever of them dies.
package replicas
