package jose

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of arrays and objects.
const maxDepth = 32

var errJSON = errors.New("not well-formed JSON")

// eachMember calls visit with the name of each member of a JSON object and the
// JSON text of its value, in order. It accepts exactly what RFC 8259 does, in
// UTF-8 and not nested too deeply, and stops at the first error. Names that come
// twice are the visitor's affair.
func eachMember(object string, visit func(name, value string) error) error {
	if !utf8.ValidString(object) {
		return errJSON
	}
	s := scanner{text: object}
	if err := s.object(visit); err != nil {
		return err
	}
	return s.end()
}

// eachElement does the same for the values of a JSON array.
func eachElement(array string, visit func(value string) error) error {
	s := scanner{text: array}
	if err := s.array(visit); err != nil {
		return err
	}
	return s.end()
}

// unquote returns what a well-formed JSON value says if it is a string.
func unquote(value string) (string, error) {
	if value[0] != '"' {
		return "", errors.New("not a string")
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1], nil
	}
	var text string
	err := json.Unmarshal([]byte(value), &text)
	return text, err
}

// scanner reads JSON from the left.
type scanner struct {
	text  string
	at    int // how far it is read
	depth int // how many arrays and objects are open
}

func (s *scanner) object(visit func(name, value string) error) error {
	return s.list('{', '}', func() error {
		quoted, err := s.string()
		if err != nil {
			return err
		}
		if !s.take(':') {
			return errJSON
		}
		value, err := s.value()
		if err != nil || visit == nil {
			return err
		}
		name, err := unquote(quoted)
		if err != nil {
			return err
		}
		return visit(name, value)
	})
}

func (s *scanner) array(visit func(value string) error) error {
	return s.list('[', ']', func() error {
		value, err := s.value()
		if err != nil || visit == nil {
			return err
		}
		return visit(value)
	})
}

// list reads items with commas between them.
func (s *scanner) list(open, close byte, item func() error) error {
	if s.depth++; s.depth > maxDepth || !s.take(open) {
		return errJSON
	}
	for more := !s.take(close); more; {
		if err := item(); err != nil {
			return err
		}
		if more = s.take(','); !more && !s.take(close) {
			return errJSON
		}
	}
	s.depth--
	return nil
}

// value reads any value and returns its text.
func (s *scanner) value() (string, error) {
	s.space()
	start := s.at
	var err error
	switch s.peek() {
	case '"':
		return s.string()
	case '{':
		err = s.object(nil)
	case '[':
		err = s.array(nil)
	case 't':
		err = s.literal("true")
	case 'f':
		err = s.literal("false")
	case 'n':
		err = s.literal("null")
	default:
		err = s.number()
	}
	return s.text[start:s.at], err
}

// string reads a string and returns its text with the quotes and escapes.
func (s *scanner) string() (string, error) {
	if !s.take('"') {
		return "", errJSON
	}
	start := s.at - 1
	for i := s.at; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return s.text[start:s.at], nil
		case c == '\\':
			n := escape(s.text[i:])
			if n == 0 {
				return "", errJSON
			}
			i += n - 1
		case c < ' ':
			return "", errJSON
		}
	}
	return "", errJSON
}

// escape returns the length of the escape that text begins with, 0 if it is none.
func escape(text string) int {
	if len(text) < 2 {
		return 0
	}
	if strings.IndexByte(`"\/bfnrt`, text[1]) >= 0 {
		return 2
	}
	if text[1] != 'u' || len(text) < 6 {
		return 0
	}
	for _, c := range []byte(text[2:6]) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return 0
		}
	}
	return 6
}

func (s *scanner) number() error {
	s.skip('-')
	if !s.skip('0') && !s.digits() {
		return errJSON
	}
	if s.skip('.') && !s.digits() {
		return errJSON
	}
	if s.skip('e') || s.skip('E') {
		if !s.skip('+') {
			s.skip('-')
		}
		if !s.digits() {
			return errJSON
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.at
	for '0' <= s.peek() && s.peek() <= '9' {
		s.at++
	}
	return s.at > start
}

func (s *scanner) literal(word string) error {
	if !strings.HasPrefix(s.text[s.at:], word) {
		return errJSON
	}
	s.at += len(word)
	return nil
}

func (s *scanner) end() error {
	s.space()
	if s.at < len(s.text) {
		return errJSON
	}
	return nil
}

// take reads one punctuation mark and the white space before it.
func (s *scanner) take(mark byte) bool {
	s.space()
	return s.skip(mark)
}

func (s *scanner) skip(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// peek returns the next byte, 0 at the end: nothing in JSON begins with 0.
func (s *scanner) peek() byte {
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

func (s *scanner) space() {
	for c := s.peek(); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = s.peek() {
		s.at++
	}
}
