package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

//go:embed style.css
var style string

// Pages renders pages in one brand.
type Pages struct {
	brand     Brand
	templates map[string]map[string]*template.Template // by language and name
	style     []byte
}

// StylePath is where pages look for their style sheet.
const StylePath = "/pages.css"

// New prepares every page in every language. The error says what is wrong with
// the brand.
func New(b Brand) (*Pages, error) {
	b = b.withDefaults()
	if err := b.check(); err != nil {
		return nil, err
	}
	p := &Pages{brand: b, style: []byte(b.css() + style), templates: map[string]map[string]*template.Template{}}
	languages, err := loadTexts()
	if err != nil {
		return nil, err
	}
	for language, texts := range languages {
		if p.templates[language], err = p.parse(language, texts, languages); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Pages) parse(language string, t texts, all map[string]texts) (map[string]*template.Template, error) {
	functions := template.FuncMap{
		"t":         t.text,
		"brand":     func() Brand { return p.brand },
		"stylePath": func() string { return StylePath },
		"language":  func() string { return language },
		"languages": func() []string { return Languages },
		"languageName": func(code string) string {
			return all[code]["language.name"]
		},
		"scopeText": func(s Scope) string {
			if s.Description != "" {
				return s.Description
			}
			if text, ok := t["scope."+s.Name]; ok {
				return text
			}
			return s.Name
		},
	}
	layout, err := template.New("layout").Funcs(functions).ParseFS(templateFiles, "templates/layout.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	parsed := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" {
			continue
		}
		copied, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if parsed[name], err = copied.ParseFS(templateFiles, file); err != nil {
			return nil, err
		}
	}
	return parsed, nil
}

// Render returns a page in a language of Languages.
func (p *Pages) Render(language string, page Page) ([]byte, error) {
	t := p.templates[language][page.template()]
	if t == nil {
		return nil, fmt.Errorf("no page %s in %s", page.template(), language)
	}
	var html bytes.Buffer
	err := t.ExecuteTemplate(&html, "layout.html", page)
	return html.Bytes(), err
}

// Style is the style sheet of every page.
func (p *Pages) Style() []byte { return p.style }
