package pages

import (
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"strings"
	"time"
)

//go:embed text
var textFiles embed.FS

// Languages are those that the pages speak; the first is the default.
var Languages = []string{"en", "de"}

// texts are the sentences of a language by their keys.
type texts map[string]string

func loadTexts() (map[string]texts, error) {
	all := map[string]texts{}
	for _, language := range Languages {
		file, err := textFiles.ReadFile("text/" + language + ".json")
		if err != nil {
			return nil, err
		}
		var t texts
		if err := json.Unmarshal(file, &t); err != nil {
			return nil, fmt.Errorf("text/%s.json: %w", language, err)
		}
		all[language] = t
	}
	return all, nil
}

// text returns the sentence of a key, a string or Text, with its {} replaced in
// order.
func (t texts) text(key any, values ...string) (string, error) {
	sentence, ok := t[fmt.Sprint(key)]
	if !ok {
		return "", fmt.Errorf("there is no text %q", key)
	}
	parts := strings.Split(sentence, "{}")
	if len(parts) != len(values)+1 {
		return "", fmt.Errorf("text %q has %d places for %d values", key, len(parts)-1, len(values))
	}
	filled := parts[0]
	for i, value := range values {
		filled += value + parts[i+1]
	}
	return filled, nil
}

// dated returns the sentence of a key with a day in its place.
func (t texts) dated(key string, day time.Time) (template.HTML, error) {
	before, after, ok := strings.Cut(t[key], "{}")
	if !ok {
		return "", fmt.Errorf("the text %q has no place for a day", key)
	}
	return template.HTML(fmt.Sprintf(`%s<time datetime="%s">%s</time>%s`,
		html.EscapeString(before), day.Format(time.DateOnly), html.EscapeString(t.day(day)), html.EscapeString(after))), nil
}

// day writes a day, such as 12 October 2026.
func (t texts) day(day time.Time) string {
	months := strings.Fields(t["day.months"])
	return strings.Replace(day.Format(t["day.format"]), day.Month().String(), months[day.Month()-1], 1)
}

// scope says what a scope allows.
func (t texts) scope(s Scope) string {
	if s.Description != "" {
		return s.Description
	}
	if text, ok := t["scope."+s.Name]; ok {
		return text
	}
	return s.Name
}

// Choose returns the first language of a preference list that the pages speak,
// such as ui_locales (OpenID Connect Core §3.1.2.1) or Accept-Language.
func Choose(preferences ...string) string {
	for _, list := range preferences {
		for _, tag := range strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' }) {
			tag, _, _ = strings.Cut(tag, ";")
			base, _, _ := strings.Cut(strings.ToLower(tag), "-")
			for _, language := range Languages {
				if base == language {
					return language
				}
			}
		}
	}
	return Languages[0]
}
