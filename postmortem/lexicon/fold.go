package lexicon

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func ValidYear(y int) bool { return y >= 1990 && y <= 2099 }

func IsWord(c byte) bool {
	return IsLetter(c) || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}

func IsLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func IsDigit(c byte) bool { return c >= '0' && c <= '9' }

// Token is a word of Latin script, a number, or a single ideograph or kana, folded to lower case without diacritics.
// A stop token ends a sentence: no pattern reaches over it.
type Token struct {
	Text       string
	Start, End int // bytes in the text
	Stop       bool
	Comma      bool // ends a clause
}

// Tokenize splits text into tokens. It is linear and gives the same tokens for a lexicon's patterns as for a document.
func Tokenize(s string) []Token {
	toks := make([]Token, 0, len(s)/5+1)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case IsCJK(r):
			toks = append(toks, Token{Text: s[i : i+n], Start: i, End: i + n})
			i += n
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			j := i + n
			for j < len(s) && j-i < 64 {
				r, n := utf8.DecodeRuneInString(s[j:])
				if IsCJK(r) || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
					// An apostrophe inside a word stays out of it: "didn't" is "didn" and "t".
					break
				}
				j += n
			}
			toks = append(toks, Token{Text: FoldWord(s[i:j]), Start: i, End: j})
			i = j
		case r == '.' || r == '!' || r == '?' || r == ';' || r == '。' || r == '；' || r == '！' || r == '？' || r == '\n' || r == '|':
			// A full stop inside "3.3.1" or "crates.io" ends nothing.
			next, _ := utf8.DecodeRuneInString(s[i+n:])
			if !(r == '.' && next != utf8.RuneError && !unicode.IsSpace(next) && next != '"' && next != ')') {
				toks = append(toks, Token{Text: ".", Start: i, End: i + n, Stop: true})
			}
			i += n
		case r == ',' || r == '、' || r == '，' || r == ':' || r == '–' || r == '—' || r == '(':
			toks = append(toks, Token{Text: ",", Start: i, End: i + n, Comma: true})
			i += n
		default:
			i += n
		}
	}
	return toks
}

func IsCJK(r rune) bool {
	return r >= 0x3005 && r <= 0x3007 || r >= 0x3041 && r <= 0x30FF || r >= 0x3400 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF ||
		r >= 0xAC00 && r <= 0xD7A3
}

// folds caches the plain form of the accented letters of Latin script.
var folds = sync.OnceValue(func() (t [0x250]string) {
	for r := rune(0x80); r < 0x250; r++ {
		var b strings.Builder
		for _, d := range norm.NFD.String(string(unicode.ToLower(r))) {
			if !unicode.Is(unicode.Mn, d) {
				b.WriteRune(d)
			}
		}
		t[r] = b.String()
	}
	t['ß'], t['ø'], t['Ø'], t['æ'], t['Æ'], t['œ'], t['Œ'], t['ł'], t['Ł'] = "ss", "o", "o", "ae", "ae", "oe", "oe", "l", "l"
	return t
})

// FoldWord brings a word to lower case and takes its diacritics off.
func FoldWord(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	table := folds()
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(unicode.ToLower(r))
		case r < 0x250:
			b.WriteString(table[r])
		case unicode.Is(unicode.Mn, r) && r < 0x370:
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// FoldWidth folds full-width ASCII, unusual spaces and dashes to their plain forms, one rune for one.
func FoldWidth(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			return r - 0xFEE0
		case r == '\u00A0' || r == '\u3000' || r >= 0x2000 && r <= 0x200A || r == '\u202F':
			return ' '
		case r == '\u2010' || r == '\u2011':
			return '-'
		case r == '’' || r == '‘' || r == 'ʼ':
			return '\''
		case r == '“' || r == '”' || r == '„' || r == '«' || r == '»':
			return '"'
		case r == '〜' || r == '∼' || r == '～':
			return '~'
		}
		return r
	}, s)
}

// Digits reads a run of digits at i.
func Digits(s string, i int) (v, n int) {
	for i+n < len(s) && IsDigit(s[i+n]) {
		if n < 9 {
			v = v*10 + int(s[i+n]-'0')
		}
		n++
	}
	return v, n
}

func DigitAt(s string, i int) bool { return i < len(s) && IsDigit(s[i]) }

func SkipSpaces(s string, i int) int {
	for k := 0; k < 3 && i < len(s) && s[i] == ' '; k++ {
		i++
	}
	return i
}

// CutAt is i, or the end of s, moved back to a rune's edge.
func CutAt(s string, i int) int {
	if i >= len(s) {
		return len(s)
	}
	for i > 0 && s[i]&0xC0 == 0x80 {
		i--
	}
	return i
}

func CutNext(s string, i int) int {
	i++
	for i < len(s) && s[i]&0xC0 == 0x80 {
		i++
	}
	return i
}
