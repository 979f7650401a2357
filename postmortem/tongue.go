package postmortem

// isClockWord says whether token i begins one of the words that follow a clock time, such as "Uhr" or "h".
func (t tongue) isClockWord(toks []token, i int) bool {
	if matchAt(t.clockAfter, toks, i) > 0 {
		return true
	}
	return false
}

// month is the number of the month a folded word names, in the document's language or English. Short forms that are
// ordinary words are no months on their own; the caller asks for a day beside it.
func (t tongue) month(w string) int {
	if m := t.months[w]; m > 0 {
		return m
	}
	return 0
}

// tongue is what a document is read with: its language, with English behind it.
type tongue struct {
	*lexicon
	bare bool // its timeline has clock times without a mark in them: "0937 chiller trips"
}
