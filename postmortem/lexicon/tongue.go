package lexicon

// IsClockWord says whether token i begins one of the words that follow a clock time, such as "Uhr" or "h".
func (t Tongue) IsClockWord(toks []Token, i int) bool {
	return MatchAt(t.ClockAfter, toks, i) > 0
}

// Month is the number of the month a folded word names, in the document's language or English. Short forms that are
// ordinary words are no months on their own; the caller asks for a day beside it.
func (t Tongue) Month(w string) int {
	return t.Months[w]
}

// Tongue is what a document is read with: its language, with English behind it.
type Tongue struct {
	*Lexicon
	Bare bool // its timeline has clock times without a mark in them: "0937 chiller trips"
}
