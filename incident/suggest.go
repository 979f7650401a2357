package incident

import "strings"

// Nearest is the one of names that was probably meant by s: the same but for case and separators, or but for one slip of the
// keys (a letter too many, too few, another, or two swapped), or for two in names of six letters and more. It is empty
// where none is, and where two are equally near: a wrong guess costs a reader more than none.
func Nearest(s string, names []string) string {
	best, least, tied := "", 3, false
	for _, n := range names {
		a, b := unmarked(s), unmarked(n)
		d := distance(a, b)
		switch {
		case d > slips(a, b) || d > least:
		case d < least:
			best, least, tied = n, d, false
		default:
			tied = true
		}
	}
	if tied {
		return ""
	}
	return best
}

// slips is how many slips of the keys two names may be apart and still be taken for one.
func slips(a, b string) int {
	switch n := min(len(a), len(b)); {
	case n < 3:
		return 0
	case n < 6:
		return 1
	}
	return 2
}

var separators = strings.NewReplacer("-", "", " ", "", "_", "")

func unmarked(s string) string { return separators.Replace(strings.ToLower(s)) }

// distance is the least number of letters to insert, delete, replace or swap with their neighbour that makes a into b
// (optimal string alignment).
func distance(a, b string) int {
	if len(a) > len(b)+3 || len(b) > len(a)+3 {
		return 4 // far; this keeps nonsense cheap
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
