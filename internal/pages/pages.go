package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

//go:embed style.css
var style string

//go:embed form-post.js
var formPostScript []byte

// Where pages look for what they load.
const (
	StylePath    = "/pages.css"
	FormPostPath = "/form-post.js"
	LogoPath     = "/logo"
	LogoDarkPath = "/logo-dark"
)

// Pages renders pages in one brand.
type Pages struct {
	brand     Brand
	templates map[string]map[string]*template.Template // by language and name
	style     []byte
}

// view is what the layout sees.
type view struct {
	Page  Page
	Again *again // nil: the page has no other language
}

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
		if p.templates[language], err = p.parse(p.functions(language, texts, languages)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Pages) functions(language string, t texts, all map[string]texts) template.FuncMap {
	return template.FuncMap{
		"t":            t.text,
		"failureText":  func(f Failure) (string, error) { return t.text(f.Message(), f.Values...) },
		"dated":        t.dated,
		"scopeText":    t.scope,
		"brand":        func() Brand { return p.brand },
		"language":     func() string { return language },
		"languages":    func() []string { return Languages },
		"languageName": func(code string) string { return all[code]["language.name"] },
		"path": func(name string) string {
			return map[string]string{"style": StylePath, "form-post": FormPostPath, "logo": LogoPath, "logo-dark": LogoDarkPath}[name]
		},
		"address":  address,
		"lanes":    func() []string { return Lanes },
		"laneName": laneName,
	}
}

func (p *Pages) parse(functions template.FuncMap) (map[string]*template.Template, error) {
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
	err := t.ExecuteTemplate(&html, "layout.html", view{page, inAnotherLanguage(page)})
	return html.Bytes(), err
}

// Sources are the directives of a content security policy under which a page
// can load what it shows, and nothing else. Where its forms may lead, a page
// does not know.
func (p *Pages) Sources(page Page) string {
	sources := "style-src 'self'"
	if p.brand.Logo != nil {
		sources += "; img-src 'self'"
	}
	switch page := page.(type) {
	case FormPost:
		sources += "; script-src 'self'"
	case SignedOut:
		if origins := origins(page.Notify); len(origins) > 0 {
			sources += "; frame-src " + strings.Join(origins, " ")
		}
	}
	return sources
}

// origins leaves out what is no http or https URL, and so no frame.
func origins(urls []string) (origins []string) {
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(u.Host, " ;,'\"") {
			continue
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// address lets a link lead to the web or to an app on this device, whose scheme
// is a reversed domain name (RFC 8252 §7.1), and to nothing that would run here.
func address(text string) template.URL {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && !strings.Contains(u.Scheme, ".") {
		return ""
	}
	return template.URL(u.String())
}

// Style is the style sheet of every page, at StylePath.
func (p *Pages) Style() []byte { return p.style }

// FormPostScript presses the button of FormPost, at FormPostPath.
func FormPostScript() []byte { return formPostScript }

// Logo is the image at LogoPath, with its media type; nil: there is none.
func (p *Pages) Logo() (image []byte, mediaType string) { return p.brand.Logo, imageType(p.brand.Logo) }

// LogoDark is the image at LogoDarkPath.
func (p *Pages) LogoDark() (image []byte, mediaType string) {
	return p.brand.LogoDark, imageType(p.brand.LogoDark)
}
