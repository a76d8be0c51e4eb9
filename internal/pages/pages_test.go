package pages

import (
	"bytes"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// each renders every state of the gallery in every language.
func each(t *testing.T, f func(t *testing.T, state State, language string, html string)) {
	t.Helper()
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range Gallery() {
		for _, language := range Languages {
			t.Run(state.Name+"/"+language, func(t *testing.T) {
				html, err := p.Render(language, state.Page)
				if err != nil {
					t.Fatal(err)
				}
				f(t, state, language, string(html))
			})
		}
	}
}

func TestEveryPageIsInTheGallery(t *testing.T) {
	shown := map[string]bool{}
	for _, state := range Gallery() {
		shown[state.Page.template()] = true
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")
		if name != "layout" && !shown[name] {
			t.Errorf("the gallery does not show %s", name)
		}
	}
}

func TestEveryLanguageHasEveryText(t *testing.T) {
	all, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	for language, texts := range all {
		for key, sentence := range all[Languages[0]] {
			if strings.Count(texts[key], "{}") != strings.Count(sentence, "{}") || texts[key] == "" {
				t.Errorf("%s: the text %s is missing, or has other places for values", language, key)
			}
		}
		for key := range texts {
			if _, ok := all[Languages[0]][key]; !ok {
				t.Errorf("%s: nobody asks for %s", language, key)
			}
		}
	}
}

var inline = regexp.MustCompile(`(?i)<script(?: [^>]*)?>[^<]|<style|\son[a-z]+=|\sstyle=|javascript:`)

func TestNoPageHoldsAnythingInline(t *testing.T) {
	each(t, func(t *testing.T, _ State, _ string, html string) {
		if found := inline.FindString(html); found != "" {
			t.Errorf("inline: %q", found)
		}
	})
}

var (
	firstForm   = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	firstButton = regexp.MustCompile(`<button[^>]* id="([^"]+)"`)
)

// What Enter presses, and automation relies on.
func TestMainActionIsTheFirstFormAndTheFirstButton(t *testing.T) {
	want := map[string][2]string{
		"sign-in": {"/sign-in", "sign-in"}, "sign-up": {"/sign-up", "sign-up"},
		"consent": {"/consent", "allow"}, "sign-out": {"/sign-out", "sign-out"},
	}
	each(t, func(t *testing.T, state State, _ string, html string) {
		expected, ok := want[state.Page.template()]
		if !ok {
			return
		}
		form, button := firstForm.FindStringSubmatch(html), firstButton.FindStringSubmatch(html)
		if form == nil || button == nil || form[1] != expected[0] || button[1] != expected[1] {
			t.Errorf("first form %v, first button %v", form, button)
		}
	})
}

func TestPagesAreSmall(t *testing.T) {
	p, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	css := p.Style()
	each(t, func(t *testing.T, _ State, _ string, html string) {
		if size := len(html) + len(css); size > 50<<10 {
			t.Errorf("%d bytes", size)
		}
	})
}

func TestHostileTextStaysText(t *testing.T) {
	p, err := New(Brand{Name: `<script>alert(1)</script>`})
	if err != nil {
		t.Fatal(err)
	}
	hostile := `"><img src=x onerror=alert(1)><script>alert(1)</script>`
	for _, page := range []Page{
		SignIn{Flow: hostile, App: hostile, Email: hostile, Problems: Problems{{"email", hostile}}},
		SignUp{Flow: hostile, App: hostile, Email: hostile, Name: hostile},
		ChooseAccount{hostile, hostile, hostile, hostile},
		Consent{Request: hostile, App: hostile, Host: hostile, Email: hostile, Scopes: []Scope{{hostile, hostile}}, Resource: hostile},
		SignOut{hostile, hostile, hostile},
		SignedOut{App: hostile, Return: "javascript:alert(1)"},
		FormPost{Action: "javascript:alert(1)", Fields: []Field{{hostile, hostile}}},
		Failure{Title: "failure.title", Message: "failure.client", RequestID: hostile, Details: []Field{{hostile, hostile}}},
		Account{Token: hostile, Name: hostile, Email: hostile, Apps: []App{{hostile, hostile, nil, hostile}}, Sessions: []Session{{hostile, hostile, hostile, false}}},
	} {
		html, err := p.Render("en", page)
		if err != nil {
			t.Errorf("%s: %v", page.template(), err)
		}
		if bytes.Contains(html, []byte("<img src=x")) || bytes.Contains(html, []byte("<script>")) || bytes.Contains(html, []byte(`"javascript:`)) {
			t.Errorf("%s lets markup through:\n%s", page.template(), html)
		}
	}
}

func TestBrandThatSomeCannotReadIsRefused(t *testing.T) {
	for name, brand := range map[string]Brand{
		"pale on white":      {Primary: "#ffd400"},
		"dark on near black": {PrimaryDark: "#222222"},
		"no colour":          {Primary: "red"},
		"no page colour":     {Page: "#12"},
	} {
		if _, err := New(brand); err == nil || !strings.Contains(err.Error(), "brand ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Brand{Name: "Acme", Primary: "#8a1c4a", PrimaryDark: "#ff9ac1", Radius: -1}); err != nil {
		t.Error(err)
	}
}

var declared = regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`)

func TestColoursOfTheDesignCanBeRead(t *testing.T) {
	colours := map[string][2]rgb{}
	for _, match := range declared.FindAllStringSubmatch(style, -1) {
		light, _ := parseColour(match[2])
		dark, _ := parseColour(match[3])
		colours[match[1]] = [2]rgb{light, dark}
	}
	for _, want := range []struct {
		text, on string
		ratio    float64
	}{
		{"text", "card", 4.5}, {"muted", "card", 4.5}, {"danger", "card", 4.5}, {"danger", "danger-tint", 4.5},
		{"text", "field", 4.5}, {"line", "card", 3}, {"line", "field", 3},
	} {
		for mode, name := range []string{"light", "dark"} {
			if got := contrast(colours[want.text][mode], colours[want.on][mode]); got < want.ratio {
				t.Errorf("%s: %s on %s has %.2f:1, not %.1f:1", name, want.text, want.on, got, want.ratio)
			}
		}
	}
}

func TestLanguageIsTheFirstThatIsSpoken(t *testing.T) {
	for preferences, want := range map[string]string{
		"de": "de", "de-AT,en;q=0.5": "de", "fr de": "de", "fr": "en", "": "en", "xx;;,": "en", strings.Repeat("fr,", 1000): "en",
	} {
		if got := Choose("", preferences); got != want {
			t.Errorf("Choose(%.20q) = %s, want %s", preferences, got, want)
		}
	}
	if got := Choose("en", "de"); got != "en" {
		t.Errorf("the first list does not win: %s", got)
	}
	if !slices.Contains(Languages, Choose("zz")) {
		t.Error("the default is not spoken")
	}
}
