package closedloop

import (
	"regexp"
	"slices"
	"strconv"
)

// placeholder is what stands in a template for a value of the request.
type placeholder string

const (
	literal placeholder = ""
	number  placeholder = "{{i}}"
	line    placeholder = "{{line}}"
	token   placeholder = "{{token}}"
)

// A template is a text taken apart at its placeholders.
type template []part

type part struct {
	kind placeholder
	text string // of a literal
}

var placeholders = regexp.MustCompile(`\{\{(i|line|token)\}\}`)

func parseTemplate(text string) (t template) {
	end := 0
	for _, at := range placeholders.FindAllStringIndex(text, -1) {
		t = append(t, part{literal, text[end:at[0]]}, part{placeholder(text[at[0]:at[1]]), ""})
		end = at[1]
	}
	return append(t, part{literal, text[end:]})
}

func (t template) holds(kind placeholder) bool {
	return slices.ContainsFunc(t, func(p part) bool { return p.kind == kind })
}

// append adds the text for c's request with this number.
func (t template) append(to []byte, c *connection, n int64) []byte {
	for _, p := range t {
		switch p.kind {
		case literal:
			to = append(to, p.text...)
		case number:
			to = strconv.AppendInt(to, n, 10)
		case line:
			to = append(to, c.run.Lines[n%int64(len(c.run.Lines))]...)
		case token:
			to = append(to, c.token...)
		}
	}
	return to
}
