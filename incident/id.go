package incident

import (
	"crypto/sha256"
	"encoding/hex"
)

// RecordID is the ID of an incident anchored at a record: "r" and 16 hexadecimal digits of a hash of its key.
func RecordID(k RecordKey) string { return "r" + digest("record\x00"+k.Source+"\x00"+k.ID) }

// EpisodeID is the ID of an incident that alerts opened, anchored at its first episode: "a" and 16 hexadecimal digits.
func EpisodeID(k EpisodeKey) string { return "a" + digest("episode\x00"+k.String()) }

func digest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:8])
}
