package pages

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
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

// text returns the sentence of a key with its {} replaced, in order.
func (t texts) text(key string, values ...string) (string, error) {
	sentence, ok := t[key]
	if !ok {
		return "", fmt.Errorf("there is no text %q", key)
	}
	for _, value := range values {
		sentence = strings.Replace(sentence, "{}", value, 1)
	}
	return sentence, nil
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
