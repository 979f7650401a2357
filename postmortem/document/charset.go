package document

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// declared finds the encoding an HTML or XML head names. It only looks at the first kilobyte.
var declared = regexp.MustCompile(`(?i)charset\s*=\s*["']?([a-z0-9_:.-]{2,40})`)

// decode gives body as UTF-8, whatever it came in: a byte order mark counts first, then valid UTF-8, then what the
// document itself declares, then a guess between the legacy encodings of the languages read here.
func decode(body []byte) string {
	switch {
	case bytes.HasPrefix(body, []byte{0xEF, 0xBB, 0xBF}):
		return clean(string(body[3:]))
	case bytes.HasPrefix(body, []byte{0xFF, 0xFE}), bytes.HasPrefix(body, []byte{0xFE, 0xFF}):
		return clean(with(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), body))
	case utf8.Valid(body):
		return clean(string(body))
	}
	if m := declared.FindSubmatch(body[:min(len(body), 1024)]); m != nil {
		if e, err := htmlindex.Get(string(m[1])); err == nil {
			if name, _ := htmlindex.Name(e); name != "utf-8" {
				return clean(with(e, body))
			}
		}
	}
	if e := guess(body); e != nil {
		return clean(with(e, body))
	}
	return clean(string(bytes.ToValidUTF8(body, []byte("\uFFFD"))))
}

func with(e encoding.Encoding, body []byte) string {
	b, err := e.NewDecoder().Bytes(body)
	if err != nil {
		return string(bytes.ToValidUTF8(body, []byte("\uFFFD")))
	}
	return string(b)
}

// guess tells the multi-byte encodings from the single-byte ones by how well a sample decodes: text in one of them
// yields kana or common ideographs and no replacement characters, other text yields mostly damage. It is nil for
// text that is UTF-8 but for a few broken bytes.
func guess(body []byte) encoding.Encoding {
	sample := body[:min(len(body), 1<<16)]
	bad, multi := 0, 0
	for i := 0; i < len(sample); {
		r, n := utf8.DecodeRune(sample[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else if n > 1 {
			multi++
		}
		i += n
	}
	if multi > 4*bad {
		return nil
	}
	best, score := encoding.Encoding(charmap.Windows1252), 0
	for _, e := range []encoding.Encoding{japanese.ShiftJIS, japanese.EUCJP, simplifiedchinese.GBK} {
		s := 0
		for _, r := range with(e, sample) {
			switch {
			case r == utf8.RuneError:
				s -= 20
			case r >= 0x3041 && r <= 0x30FE:
				s += 3
			case r == '、' || r == '。' || r == '，' || strings.ContainsRune("的是在了日年月故障", r):
				s += 6
			case r >= 0x4E00 && r <= 0x9FFF:
				s++
			case r >= 0xFF61 && r <= 0xFF9F: // half-width kana: what Latin-1 looks like when read as Shift JIS
				s -= 6
			case r >= 0xE000 && r <= 0xF8FF:
				s -= 10
			}
		}
		if s > score && s*8 > len(sample)/4 {
			best, score = e, s
		}
	}
	return best
}

// clean makes line ends uniform and takes out control characters, so that nothing below has to think of them.
func clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\v' || r == '\f':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0x7F || r >= 0x80 && r < 0xA0 || r == '\uFEFF' || r == '\u200B' || r == '\u200E' || r == '\u200F' || r >= 0x202A &&
			r <= 0x202E || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}
