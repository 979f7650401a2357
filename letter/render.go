package letter

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// How a letter is written where it is posted to.
const (
	FormText  = "text"  // Markdown
	FormJSON  = "json"  // the letter as it is
	FormSlack = "slack" // a message of Slack's incoming webhooks, which Mattermost and others take as well
	FormTeams = "teams" // an adaptive card, as the workflows of Microsoft Teams take it
)

// Forms lists them.
var Forms = []string{FormSlack, FormTeams, FormText, FormJSON}

// Markdown writes the letter for people; what is folded is told by its number, and where it is read.
func (l *Letter) Markdown(w io.Writer) error {
	_, err := io.WriteString(w, l.written("# ", "## ", "- ", markdown))
	return err
}

// written is the letter as text, in some markup.
func (l *Letter) written(title, head, item string, piece func(Piece) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", title+piece(Piece{Text: l.Title()}))
	for _, s := range l.Sections() {
		fmt.Fprintf(&b, "\n%s\n\n", head+piece(Piece{Text: s.Title, Strong: head == ""}))
		for _, line := range s.Lines {
			b.WriteString(item)
			for _, p := range line {
				b.WriteString(piece(p))
			}
			b.WriteByte('\n')
		}
		if n := len(s.More); n > 0 {
			fmt.Fprintf(&b, "%sand %d more%s\n", item, n, where(l.URL, piece))
		}
	}
	if l.URL != "" {
		fmt.Fprintf(&b, "\n%s\n", piece(Piece{Text: "The whole letter, with every incident", URL: l.URL}))
	}
	return b.String()
}

func where(url string, piece func(Piece) string) string {
	if url == "" {
		return ""
	}
	return ": " + piece(Piece{Text: "all of them", URL: url})
}

// markdown is a piece as Markdown that shows just it, whatever it holds.
func markdown(p Piece) string {
	lead, trail := margins(p.Text)
	out := escaped(strings.Join(strings.Fields(p.Text), " "), "\\`*_[]#|<>~&")
	switch {
	case p.URL != "":
		out = "[" + out + "](" + p.URL + ")"
	case p.Strong:
		out = "**" + out + "**"
	}
	return lead + out + trail
}

// margins are the spaces at the ends of a piece, which stand between it and its neighbours.
func margins(s string) (lead, trail string) {
	if strings.HasPrefix(s, " ") {
		lead = " "
	}
	if strings.HasSuffix(s, " ") && len(s) > 1 {
		trail = " "
	}
	return lead, trail
}

func escaped(s, signs string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(signs, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// mrkdwn is a piece in Slack's markup, in which &, < and > are written as entities and nothing else can be escaped: a star or an
// underscore in a title can make a part of it bold, and no more.
func mrkdwn(p Piece) string {
	lead, trail := margins(p.Text)
	out := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(strings.Join(strings.Fields(p.Text), " "))
	switch {
	case p.URL != "":
		out = "<" + p.URL + "|" + strings.ReplaceAll(out, "|", "¦") + ">"
	case p.Strong:
		out = "*" + out + "*"
	}
	return lead + out + trail
}

// Body is the letter in a form, with its content type.
func (l *Letter) Body(form string) (body []byte, contentType string, err error) {
	const asJSON = "application/json"
	switch form {
	case FormText:
		var b strings.Builder
		err = l.Markdown(&b)
		return []byte(b.String()), "text/markdown; charset=utf-8", err
	case FormSlack:
		body, err = marshal(map[string]string{"text": l.written("", "", "• ", mrkdwn)})
		return body, asJSON, err
	case FormTeams:
		body, err = marshal(l.card())
		return body, asJSON, err
	case FormJSON:
		body, err = marshal(l)
		return body, asJSON, err
	}
	return nil, "", fmt.Errorf("a letter has no form %q", form)
}

func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(b.String()), err
}

// card is the letter as an adaptive card (adaptivecards.io, version 1.4) in the envelope of a Teams workflow.
func (l *Letter) card() any {
	block := func(text string, more map[string]any) map[string]any {
		b := map[string]any{"type": "TextBlock", "text": text, "wrap": true}
		for k, v := range more {
			b[k] = v
		}
		return b
	}
	body := []any{block(markdown(Piece{Text: l.Title()}), map[string]any{"size": "Large", "weight": "Bolder"})}
	for _, s := range l.Sections() {
		body = append(body, block(markdown(Piece{Text: s.Title}), map[string]any{"weight": "Bolder", "separator": true}))
		var b strings.Builder
		for _, line := range s.Lines {
			b.WriteString("- ")
			for _, p := range line {
				b.WriteString(markdown(p))
			}
			b.WriteByte('\r')
		}
		if n := len(s.More); n > 0 {
			fmt.Fprintf(&b, "- and %d more%s\r", n, where(l.URL, markdown))
		}
		body = append(body, block(b.String(), nil))
	}
	content := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"msteams": map[string]string{"width": "Full"}, "body": body,
	}
	if l.URL != "" {
		content["actions"] = []any{map[string]string{"type": "Action.OpenUrl", "title": "The whole letter", "url": l.URL}}
	}
	return map[string]any{"type": "message", "attachments": []any{
		map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": content},
	}}
}
